"""Slots: the places of a letter that take a member's own values, each with the escaping of its place."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_EASY_URLS = re.compile(rf"{_EASY_URL.pattern}(?:\n{_EASY_URL.pattern})*")


@lru_cache(maxsize=16)  # a link stands in the head, the text and the HTML of its letter
def _easy_url(value: str) -> bytes:
    """Return a link that is the same wherever it stands, b"" for another one."""
    return value.encode("ascii") if _EASY_URL.fullmatch(value) else b""


@lru_cache(maxsize=8)
def _easy_urls(lines: str) -> list[bytes] | None:
    """As `_easy_url`, of a link a line; None when any is another one."""
    return lines.encode("ascii").split(b"\n") if _EASY_URLS.fullmatch(lines) else None


def encode_all(write: Encode, values: Sequence[str]) -> list[bytes]:
    """Return `write` of each value; of links that need no encoding in a fifth of the time."""
    easy = _easy_urls("\n".join(values)) if write in _OF_URLS else None
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


_OF_URLS = frozenset((url_in_html, url_in_text, list_unsubscribe))


def mailto(value: str) -> bytes:
    """Encode for the second pair of angle brackets of List-Unsubscribe; raises Refused."""
    return headers.printable("List-Unsubscribe", value).encode("ascii")


@_KEPT
def date(value: str) -> bytes:
    """Encode for Date; raises Refused."""
    return headers.printable("Date", value).encode("ascii")
