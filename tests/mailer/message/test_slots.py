"""Slots: the quick way for what needs no escaping gives the bytes of the careful one."""

from html import escape

from hypothesis import given
from hypothesis import strategies as st

from mailer.message import quoted_printable, slots

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
