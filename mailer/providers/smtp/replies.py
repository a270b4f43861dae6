"""Reading a server's replies: forgiving in form, strict in sense, bounded in size (RFC 5321 §4.2)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?")
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s|$)")  # RFC 2034 §4: first in the text
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
LONGEST_LINE = 4096  # RFC 5321 §4.5.3.1.5 says 512; real servers write URLs and more
MOST_LINES = 128
_SHORT = 1024  # octets: what is longer is not kept to compare with


class Reply(NamedTuple):
    """One whole reply: its code, and the text of each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300  # noqa: PLR2004  the first digit of RFC 5321 §4.2.1

    @property
    def refused(self) -> bool:
        return self.code >= 400  # noqa: PLR2004  as above

    @property
    def text(self) -> str:
        """The lines as one, without controls; what is not UTF-8 becomes U+FFFD."""
        return _text(self.lines)

    @property
    def enhanced(self) -> str:
        """The enhanced status code such as "5.1.1", or nothing."""
        match = _ENHANCED.match(self.lines[0].decode("ascii", "replace"))
        return match[1] if match else ""


@lru_cache(maxsize=64)  # as _parse
def _text(lines: tuple[bytes, ...]) -> str:
    joined = " ".join(line.decode("utf-8", "replace") for line in lines)
    return _CONTROL.sub(" ", joined).strip()


class ReplyReader:
    """Turns the bytes of a connection into replies.

    garbled   says what came that is no SMTP reply, else is empty. Nothing after it can be trusted, and nothing
              after it is returned; the replies before it are.
    """

    __slots__ = ("_code", "_lines", "_rest", "garbled")

    def __init__(self) -> None:
        self.garbled = ""
        self._rest = b""
        self._code = 0
        self._lines: list[bytes] = []

    @property
    def between(self) -> bool:
        """True when all that was fed has been returned."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> Sequence[Reply]:
        """Return the replies that `data` completes; what is left waits for more."""
        if not self._rest and not self._lines and len(data) <= _SHORT and not self.garbled:
            # Of the answers to a body and to the envelope behind it only the first may say something new.
            first, ended, others = data.partition(b"\n")
            parsed, known = _parse(first), _whole(others)
            if ended and parsed is not None and parsed[1] and known is not None:
                return (parsed[0], *known)
        return self._feed(data)

    def _feed(self, data: bytes) -> list[Reply]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        return [reply for line in lines if not self.garbled and (reply := self._line(line)) is not None]

    def _line(self, line: bytes) -> Reply | None:
        parsed = _parse(line) if len(line) <= LONGEST_LINE else None
        if parsed is None:
            self.garbled = "a line that is no SMTP reply"
            return None
        reply, ended = parsed
        if ended and not self._lines:
            return reply
        self._lines += reply.lines
        if len(self._lines) > 1 and reply.code != self._code:
            self.garbled = "one reply with two codes"
        elif len(self._lines) > MOST_LINES:
            self.garbled = "a reply without end"
        self._code = reply.code
        if self.garbled or not ended:
            return None
        whole = Reply(reply.code, tuple(self._lines))
        self._lines.clear()
        return whole


@lru_cache(maxsize=64)  # as _parse
def _whole(data: bytes) -> tuple[Reply, ...] | None:
    """Read lines that are a reply each, and nothing else; None when they are anything but that."""
    *lines, rest = data.split(b"\n")
    parsed = [_parse(line) for line in lines]
    if rest:
        return None
    replies = tuple(one[0] for one in parsed if one is not None and one[1])
    return replies if len(replies) == len(lines) else None


@lru_cache(maxsize=64)
def _parse(line: bytes) -> tuple[Reply, bool] | None:
    """Read one line, and say whether it ends its reply. A server says the same few for every message."""
    match = _LINE.fullmatch(line)
    return match and (Reply(int(match[1]), (match[3] or b"",)), match[2] != b"-")
