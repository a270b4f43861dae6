"""Slots: the quick way for what needs no escaping gives the bytes of the careful one."""

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.message import quoted_printable, slots
from mailer.message.headers import Refused

URLS = st.from_regex(r"https?://[A-Za-z0-9./:_&?=%~-]{1,90}", fullmatch=True)


@given(URLS)
def test_a_link_is_the_same_whether_it_is_easy_or_not(url: str) -> None:
    assert slots.url_in_text(url) == quoted_printable.encode(url)
    assert slots.url_in_html(url) == quoted_printable.encode(escape(url))
    assert slots.list_unsubscribe(url) == url.encode()


@given(st.text(max_size=100).filter(str.isprintable).map(lambda text: " ".join(text.split())))
def test_a_name_is_the_same_whether_it_is_easy_or_not(name: str) -> None:
    assert slots.plain_text(name) == quoted_printable.encode(name)
    assert slots.html_text(name) == quoted_printable.encode(escape(name))


EASY = st.sampled_from(
    ["a@b.se", "anna.berg+nyhet@exempel.se", "a_b@c-d.example.org", "https://a.se/u/x", "mailto:a@b.se?subject=x"]
)
ODD = st.text(alphabet='aZ9@.-_+:/?=& \n\r<>"\\åΩ\0', max_size=12) | st.sampled_from(
    ["a" * 300 + "@b.se", "a..b@c.se", "a@b-.se"]
)
WRITERS = [
    slots.url_in_html,
    slots.url_in_text,
    slots.list_unsubscribe,
    slots.to_address,
    slots.message_id,
    slots.mailto,
    slots.plain_text,
]


@given(st.sampled_from(WRITERS), st.lists(EASY | ODD, max_size=5))
def test_a_column_is_what_each_of_its_values_is(write: slots.Encode, values: list[str]) -> None:
    try:
        one_by_one = [write(value) for value in values]
    except Refused:
        with pytest.raises(Refused):
            slots.encode_all(write, values)
    else:
        assert slots.encode_all(write, values) == one_by_one
