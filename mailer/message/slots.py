"""Slots: the places of a letter that take a member's own values, each with the escaping of its place."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape

from mailer.message import headers, quoted_printable
from mailer.message.characters import one_line

Encode = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for `values[key]`, which `encode` turns into bytes that are right there.

    fallback  what stands there when the value is empty; `encode` knows it too, see `or_else`
    """

    key: str
    encode: Encode
    fallback: str = ""


@lru_cache(maxsize=256)
def or_else(encode: Encode, fallback: str) -> Encode:
    """Return what encodes `fallback` where the value is empty."""
    return lambda value: encode(value or fallback)


# Most names and links need no escaping and fit on a line: they are spared the encoder.
_EASY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ,:;!?/_()-]{0,68}[A-Za-z0-9,:;!?/_()-])?|")
_KEPT = lru_cache(maxsize=4096)  # a register has some thousand given names, and a mailing one date
_EASY_URL = re.compile(r"https?://[A-Za-z0-9./:_-]{1,66}")
_EASY_ADDRESS = r"[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*"
_EASY_ID = r"[A-Za-z0-9_-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_EASY_MAILTO = r"[!-~]+"
_EASY_LENGTH = 200  # characters: far within what any place allows


@lru_cache(maxsize=16)  # a link stands in the head, the text and the HTML of its letter
def _easy_url(value: str) -> bytes:
    """Return a link that is the same wherever it stands, b"" for another one."""
    return value.encode("ascii") if _EASY_URL.fullmatch(value) else b""


@lru_cache(maxsize=8)  # as `_easy_url`
def _easy_lines(one: str, lines: str) -> list[bytes] | None:
    """Return lines that all look like `one`, and are the same wherever they stand; None when any does not."""
    return lines.encode("ascii").split(b"\n") if _all_lines(one).fullmatch(lines) else None


@cache
def _all_lines(one: str) -> re.Pattern[str]:
    return re.compile(rf"{one}(?:\n{one})*")


def encode_all(write: Encode, values: Sequence[str]) -> list[bytes]:
    """Return `write` of each value; of what needs no encoding in a fifth of the time."""
    easy = None
    if (form := _EASY_FORMS.get(write)) and max(map(len, values), default=0) <= _EASY_LENGTH:
        easy = _easy_lines(form, "\n".join(values))
    return list(map(write, values)) if easy is None else easy


@_KEPT
def html_text(value: str) -> bytes:
    """Encode for HTML text or a quoted attribute."""
    value = one_line(value)
    return value.encode("ascii") if _EASY.fullmatch(value) else quoted_printable.encode(escape(value))


@_KEPT
def plain_text(value: str) -> bytes:
    """Encode for the text part."""
    value = one_line(value)
    return value.encode("ascii") if _EASY.fullmatch(value) else quoted_printable.encode(value)


def url_in_html(value: str) -> bytes:
    """Encode a link for an attribute; raises Refused unless it is one (`javascript:` is none)."""
    return _easy_url(value) or quoted_printable.encode(escape(headers.url("a link", value).decode("ascii")))


def url_in_text(value: str) -> bytes:
    """Encode a link for the text part; raises Refused unless it is one."""
    return _easy_url(value) or quoted_printable.encode(headers.url("a link", value).decode("ascii"))


@_KEPT
def display_name(value: str) -> bytes:
    """Encode for the place before `<address>` in To."""
    return headers.phrase(value)


def to_address(value: str) -> bytes:
    """Encode for the place inside the angle brackets of To; raises Refused."""
    return headers.recipient("To", value)


def message_id(value: str) -> bytes:
    """Encode for the angle brackets of Message-ID; raises Refused."""
    return headers.message_id("Message-ID", value)


def list_unsubscribe(value: str) -> bytes:
    """Encode for the angle brackets of List-Unsubscribe: byte for byte what was given; raises Refused."""
    return _easy_url(value) or headers.url("List-Unsubscribe", value)


def mailto(value: str) -> bytes:
    """Encode for the second pair of angle brackets of List-Unsubscribe; raises Refused."""
    return headers.printable("List-Unsubscribe", value).encode("ascii")


@_KEPT
def date(value: str) -> bytes:
    """Encode for Date; raises Refused."""
    return headers.printable("Date", value).encode("ascii")


_EASY_FORMS: Mapping[Encode, str] = {
    url_in_html: _EASY_URL.pattern,
    url_in_text: _EASY_URL.pattern,
    list_unsubscribe: _EASY_URL.pattern,
    to_address: _EASY_ADDRESS,
    message_id: _EASY_ID,
    mailto: _EASY_MAILTO,
}
