import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.render.filters import PREHEADER, breaks, contact_link, paragraphs, preheader, web_link, whole_numbers


def shown(candidates: list[str | None]) -> str:
    return html.unescape(str(preheader(candidates)).partition("&#847;")[0])


def test_a_preheader_takes_as_much_as_fills_the_line() -> None:
    assert shown(["Ny bro", None, "", "Den nya skolan i Mariehäll blir klar i höst", "mer"]) == (
        "Ny bro · Den nya skolan i Mariehäll blir klar i höst"
    )


@given(st.lists(st.text(alphabet="ab cå<&", max_size=60), max_size=6))
def test_a_preheader_is_never_longer_than_the_line_nor_needlessly_short(candidates: list[str]) -> None:
    text = shown(list(candidates))

    assert len(text) < PREHEADER.stop
    if len(text) < PREHEADER.start:
        assert all(" ".join(candidate.split()) in text for candidate in candidates)


def test_a_long_preheader_is_cut_at_a_word() -> None:
    assert shown(["ordet " * 40]) == "ordet " * 14 + "ordet…"
    assert len(shown(["x" * 300])) == 90


@pytest.mark.parametrize(
    "address", [None, "", "javascript:alert(1)", "data:text/html,x", "/here", 'https://a.se/"x', "ftp://a"]
)
def test_what_is_no_web_address_is_no_link(address: str | None) -> None:
    assert web_link(address) is None


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("kontakt@example.org", "mailto:kontakt@example.org"),
        ("kontakt@malmö.se", "mailto:kontakt@xn--malm-8qa.se"),
        ("https://example.org/kontakt", "https://example.org/kontakt"),
        ("08-123 456", None),
    ],
)
def test_a_contact_leads_where_it_says(contact: str, link: str | None) -> None:
    assert contact_link(contact) == link


def test_blank_lines_part_paragraphs_and_single_ones_stay() -> None:
    assert paragraphs("a\nb\n\n \nc\n") == ["a\nb", "c"]
    assert paragraphs(None) == []
    assert breaks("a <b>\nc") == "a &lt;b&gt;<br>c"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plats för 48 500 hem", "plats för 48~500 hem"),
        ("1 234 567 kronor", "1~234~567 kronor"),
        ("år 2026 100 nya lindar", "år 2026 100 nya lindar"),
        ("buss 2 100 gånger om dagen 5 12", "buss 2~100 gånger om dagen 5 12"),
        ("12 3456", "12 3456"),
    ],
)
def test_the_thousands_of_a_number_stay_on_one_line(text: str, whole: str) -> None:
    assert whole_numbers(text) == whole.replace("~", "\N{NO-BREAK SPACE}")
