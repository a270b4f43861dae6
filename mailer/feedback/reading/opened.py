"""A mail taken apart within bounds: its header, its parts in order, and which of them belong to the mail it quotes."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message

MOST_OCTETS = 1 << 20
MOST_PARTS = 60
_BLOCKS = frozenset({"message/delivery-status", "message/global-delivery-status", "message/feedback-report"})
_DEEPEST = 10
# What the library would follow downwards. A mail with more of these than MOST_PARTS is not taken apart at all.
_CONTAINER = re.compile(rb"^content-type:\s*(?:multipart|message)/|^--.{1,70}$", re.IGNORECASE | re.MULTILINE)
_MOST_BOUNDARIES = 400
_FROM_LINE = re.compile(rb"\A(?:>?From [^\n]*\n)+")
# A part without a charset may be written in any; Latin-1 loses nothing, and UTF-8 is tried first.
_FALLBACK = "latin-1"


@dataclass(frozen=True, slots=True)
class Part:
    """`quoted`: it lies inside the returned mail, which is not the server's word."""

    kind: str  # "text/plain", "message/delivery-status", ...
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """Header fields by their name in small letters, in the order they came; decoded, on one line."""

    fields: tuple[tuple[str, str], ...]
    kind: str
    parts: tuple[Part, ...]

    def field(self, name: str) -> str:
        """Return the first field of that name, else an empty text."""
        return next((value for field, value in self.fields if field == name), "")

    def has(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields)

    def own(self, *kinds: str) -> Iterator[Part]:
        """Yield the parts that are the sender's own words, of these kinds."""
        return (part for part in self.parts if not part.quoted and part.kind in kinds)


def open_mail(octets: bytes) -> Opened:
    """Take a mail apart: at most MOST_OCTETS of it, MOST_PARTS parts, ten deep. Any of LF, CRLF and CR ends a line."""
    octets = octets[:MOST_OCTETS].replace(b"\0", b"")  # no mail has one (RFC 5322 §2.3), and the library stumbles
    octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    octets = _FROM_LINE.sub(b"", octets.lstrip(b"\n"))
    if sum(1 for _ in _CONTAINER.finditer(octets)) > _MOST_BOUNDARIES:
        octets = _without_structure(octets)
    message = email.message_from_bytes(octets)
    parts = []
    for part in _parts(message, depth=0, quoted=False):
        parts.append(part)
        if len(parts) == MOST_PARTS:
            break
    fields = tuple((name.lower(), _decoded(value)) for name, value in message.raw_items())
    return Opened(fields, message.get_content_type(), tuple(parts))


def _without_structure(octets: bytes) -> bytes:
    """Keep the first text of a mail built to exhaust us: its header would send the library down."""
    header, _, body = octets.partition(b"\n\n")
    return re.sub(rb"(?im)^content-type:", b"X-Content-Type:", header) + b"\n\n" + body[:10_000]


def _parts(message: Message, depth: int, *, quoted: bool) -> Iterator[Part]:
    kind = message.get_content_type()
    payload = message.get_payload()
    below = [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else None
    if kind in _BLOCKS and below:
        # The library reads the blocks of a report as messages without bodies; as text they are easier to trust.
        yield Part(kind, "\n\n".join(_header_text(block) for block in below), quoted)
    elif below is not None and depth < _DEEPEST:
        inside = quoted or kind in ("message/rfc822", "message/global")
        for part in below:
            yield from _parts(part, depth + 1, quoted=inside)
    elif below is None:
        returned = kind in ("text/rfc822-headers", "message/rfc822-headers", "message/partial")
        # A container without the parts it announces is what a server wrote by hand: words.
        yield Part("text/plain" if kind.startswith("multipart/") else kind, _text(message), quoted or returned)


def _header_text(block: Message) -> str:
    """Return a block of fields as it stood; what the library took for its body is the rest of a broken one."""
    rest = block.get_payload()
    return "\n".join(f"{name}: {value}" for name, value in block.items()) + (
        f"\n{rest}" if isinstance(rest, str) else ""
    )


def _text(message: Message) -> str:
    octets = message.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    for charset in (message.get_content_charset() or "utf-8", "utf-8"):
        try:
            return octets.decode(charset)
        except (LookupError, ValueError):
            continue
    return octets.decode(_FALLBACK)


def _decoded(value: str) -> str:
    flat = " ".join(value[:2000].encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
    if "=?" not in flat:
        return flat
    try:
        return " ".join(str(make_header(decode_header(flat))).split())
    except (LookupError, ValueError):
        return flat
