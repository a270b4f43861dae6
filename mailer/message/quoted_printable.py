"""Quoted-printable (RFC 2045 section 6.7) for pieces of a body that soft breaks will join.

Every line ends in CRLF, has at most 76 octets and never begins with a dot, so the same bytes go to a file,
to an API and, without dot-stuffing, to SMTP's DATA.
"""

import binascii
from dataclasses import dataclass, field
from functools import lru_cache

LINE = 76
SOFT_BREAK = b"=\r\n"


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Lines:
    """Whole lines, each with its end, that many bodies share: encoded once. No soft break stands beside them."""

    text: str
    encoded: bytes = field(init=False, repr=False)
    size: int = field(init=False, repr=False)  # octets before they are encoded

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoded", encode(self.text))
        object.__setattr__(self, "size", len(self.text.encode()))


def encode(text: str) -> bytes:
    """Encode one piece; its last line leaves room for the `=` of a soft break after it."""
    *full, last = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return b"\r\n".join([*map(_encode_full, full), _encode(last, LINE - 1)])


@lru_cache(maxsize=1024)
def _encode_full(text: str) -> bytes:
    """Encode a line that ends as such. The contents of a mailing have most lines in common: their news items."""
    return _encode(text, LINE)


def _encode(text: str, room: int) -> bytes:
    """Encode one line, into as many as it takes; the last of these has at most `room` octets."""
    # b2a_qp breaks lines with a bare LF unless it meets a CRLF in its input; this one is taken off again.
    encoded = binascii.b2a_qp(text.encode("utf-8") + b"\r\n").removesuffix(b"\r\n")
    if b"\r\n." not in encoded and not encoded.startswith(b".") and len(encoded) - encoded.rfind(b"\n") - 1 <= room:
        return encoded  # nearly always: no line has to be guarded
    *full, last = encoded.split(b"\r\n")
    return b"\r\n".join([*(_guard(line, LINE) if line.startswith(b".") else line for line in full), _guard(last, room)])


def _guard(line: bytes, room: int) -> bytes:
    """Return `line` without a leading dot, in as many lines as fit into `room`."""
    guarded: list[bytes] = []
    while True:
        if line.startswith(b"."):
            line = b"=2E" + line[1:]
        if len(line) <= room:
            return b"\r\n".join([*guarded, line])
        cut = _before_escape(line, room - 1)
        guarded.append(line[:cut] + b"=")
        line = line[cut:]


def _before_escape(line: bytes, cut: int) -> int:
    """Move `cut` back so that it does not fall inside an =XX."""
    start = line.rfind(b"=", cut - 2, cut)
    return cut if start < 0 else start
