import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.i18n.browsers import preferred


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("en-GB,en;q=0.9,sv;q=0.8", "en"),
        ("sv", "sv"),
        ("SV-se", "sv"),
        ("en;q=0.3, sv;q=0.7", "sv"),
        ("de, en;q=0.1", "en"),
        ("de", "sv"),
        ("", "sv"),
        ("en;q=0", "sv"),
        ("en;q=nan", "sv"),
        ("en;q=2", "sv"),
        ("*", "sv"),
    ],
)
def test_the_highest_wish_that_we_speak_is_granted(accept: str, language: str):
    assert preferred(accept, "sv") == language


@given(st.text(max_size=200))
def test_no_wish_is_too_odd_for_an_answer(accept: str):
    assert preferred(accept, "sv") in ("sv", "en")
