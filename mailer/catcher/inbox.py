"""Reading a Maildir of caught mail: a list without opening each file twice, and one mail taken apart."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from pathlib import Path

_NAME = re.compile(r"[0-9]{16}\.[0-9]+_[0-9]+\.utskick")
_HEAD = 64 * 1024  # as much of a file as is read for the list
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Caught:
    """A line of the list."""

    name: str
    at: datetime
    recipient: str
    sender: str
    subject: str
    size: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the list, newest first. `total` counts all that match."""

    mails: tuple[Caught, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Opened:
    """One mail taken apart. `html` and `text` are empty where the mail has none."""

    caught: Caught
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    source: str


class Inbox:
    """A Maildir. Files never change once they are in `new`, so what was read of one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Caught] = {}

    def page(self, number: int = 1, search: str = "") -> Page:
        """Return page `number` (from 1; beyond the end: the last) of the mails that match `search`."""
        self._refresh()
        wanted = search.casefold().split()
        found = [mail for _, mail in sorted(self._known.items(), reverse=True) if _matches(mail, wanted)]
        pages = max(1, -(-len(found) // PER_PAGE))
        number = min(max(number, 1), pages)
        start = (number - 1) * PER_PAGE
        return Page(tuple(found[start : start + PER_PAGE]), number, pages, len(found))

    def open(self, name: str) -> Opened | None:
        """Take a mail apart; None when there is no such mail."""
        raw = self.raw(name)
        return None if raw is None else _take_apart(self._known[name], raw)

    def raw(self, name: str) -> bytes | None:
        """Return the bytes of a mail. `name` comes from a URL: only a name of the list is looked for."""
        if name not in self._known:
            self._refresh()
        if name not in self._known:
            return None
        return (self.folder / "new" / name).read_bytes()

    def _refresh(self) -> None:
        with os.scandir(self.folder / "new") as entries:
            present = {entry.name for entry in entries if _NAME.fullmatch(entry.name)}
        for name in present - self._known.keys():
            self._known[name] = _read_head(self.folder / "new" / name)
        for name in self._known.keys() - present:
            del self._known[name]


def _matches(mail: Caught, wanted: list[str]) -> bool:
    text = f"{mail.recipient} {mail.subject} {mail.sender}".casefold()
    return all(word in text for word in wanted)


def _read_head(path: Path) -> Caught:
    with path.open("rb") as source:
        head = source.read(_HEAD)
    headers = message_from_bytes(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0] + b"\r\n\r\n")
    return Caught(
        name=path.name,
        at=datetime.fromtimestamp(int(path.name[:16]) / 1_000_000, UTC),
        recipient=_decoded(headers, "Delivered-To"),
        sender=_decoded(headers, "From"),
        subject=_decoded(headers, "Subject"),
        size=path.stat().st_size,
    )


def _decoded(headers: Message, name: str) -> str:
    return _plain(headers.get(name, ""))


def _plain(value: object) -> str:
    """Decode a header as far as it can be: a caught mail may be anything."""
    raw = re.sub(r"\r?\n", "", str(value))
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return raw


def _take_apart(caught: Caught, raw: bytes) -> Opened:
    parsed = message_from_bytes(raw, policy=policy.default)
    return Opened(
        caught=caught,
        headers=tuple((name, _plain(value)) for name, value in message_from_bytes(raw).items()),
        html=_part(parsed, "html"),
        text=_part(parsed, "plain"),
        source=raw.decode("utf-8", "replace"),
    )


def _part(parsed: EmailMessage, kind: str) -> str:
    for part in parsed.walk():
        if part.get_content_type() == f"text/{kind}" and part.get_content_disposition() != "attachment":
            return _content(part)
    return ""


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # no such charset, one that takes no mending, or a NUL for its name
        return raw.decode("utf-8", "replace")
