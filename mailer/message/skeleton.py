"""The skeleton of a letter: everything its readers share, encoded once, and slots for what they do not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from mailer.message.invitation import Invitation
from mailer.message.quoted_printable import SOFT_BREAK, Lines, encode
from mailer.message.slots import Encode, Slot, encode_all

# Quoted-printable never writes "=_" (RFC 2045 section 6.7), so no body can contain this. It is constant
# because a resend has to be the same bytes.
BOUNDARY = b"=_utskick_alternative"
_OUTER = b"=_utskick_mixed"


Piece = str | Lines | Slot  # of a rendered part; what stands before lines that are shared ends a line itself
Columns = Mapping[str, str | Sequence[str]]  # slot -> the value of each reader, or the one they share
_InOrder = Callable[[Sequence[Any]], Sequence[Any]]


class Skeleton:
    """Encoded literals and slots in turns. Composing a message is one join.

    Each value is encoded once for each kind of place, however often it is used.
    """

    __slots__ = ("_in_order", "_wanted", "frame")

    def __init__(self, pieces: Iterable[bytes | Slot]) -> None:
        frame: list[bytes] = []
        wanted: dict[tuple[str, Encode], int] = {}
        order: list[int] = []
        literal: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                literal.append(piece)
                continue
            frame += [b"".join(literal), b""]
            order.append(wanted.setdefault((piece.key, piece.encode), len(wanted)))
            literal = []
        self.frame = (*frame, b"".join(literal))  # a place that is empty after each literal but the last
        self._wanted = tuple(wanted)
        self._in_order: _InOrder = itemgetter(*order) if len(order) > 1 else _as_they_are

    def compose(self, values: Mapping[str, str]) -> bytes:
        """Return the whole message, in the form that mailer.message.Message promises.

        raises  Refused (a ValueError) for a value that its place cannot carry, KeyError for a missing one
        """
        return b"".join(together(self.frame, self._in_order([write(values[key]) for key, write in self._wanted])))

    def encode(self, columns: Columns, count: int) -> list[Sequence[bytes]]:
        """Return what is each of `count` readers' own, for `together`; raises as `compose`."""
        encoded = [
            [write(column)] * count if isinstance(column, str) else encode_all(write, column)
            for key, write in self._wanted
            for column in (columns[key],)
        ]
        return list(zip(*self._in_order(encoded), strict=True)) or [()] * count


def together(frame: Sequence[bytes], own: Sequence[bytes]) -> list[bytes]:
    """Return the message of one reader in its parts: a skeleton's frame with what is the reader's own."""
    parts = list(frame)
    parts[1::2] = own
    return parts


def _as_they_are(encoded: Sequence[Any]) -> Sequence[Any]:
    """Stands for itemgetter, which makes no sequence of one or none."""
    return encoded


def alternative(head: Sequence[bytes | Slot], *, text: Sequence[Piece], html: Sequence[Piece]) -> Skeleton:
    """Build a letter in two equal forms, the plain one first (RFC 2046 section 5.1.4).

    head        header fields, each ending in CRLF, without MIME-Version and Content-Type
    text, html  the rendered parts, split at their slots
    """
    return Skeleton(
        [
            *head,
            b"MIME-Version: 1.0\r\n",
            b'Content-Type: multipart/alternative; boundary="' + BOUNDARY + b'"\r\n',
            *_part(b"text/plain", text),
            *_part(b"text/html", html),
            b"\r\n--" + BOUNDARY + b"--\r\n",
        ]
    )


def with_invitation(
    head: Sequence[bytes | Slot], *, text: Sequence[Piece], html: Sequence[Piece] | None, invited: Invitation
) -> Skeleton:
    """Build a letter with an entry for its reader's calendar: as one more form of it, and as a file.

    Programs that know invitations show the form, others the file. `html` None: its reader wants plain text.
    """
    entry, method = invited.pieces(), invited.method.encode("ascii")
    return Skeleton(
        [
            *head,
            b"MIME-Version: 1.0\r\n",
            b'Content-Type: multipart/mixed; boundary="' + _OUTER + b'"\r\n',
            b"\r\n--" + _OUTER + b"\r\n",
            b'Content-Type: multipart/alternative; boundary="' + BOUNDARY + b'"\r\n',
            *_part(b"text/plain", text),
            *(_part(b"text/html", html) if html is not None else ()),
            *_part(b"text/calendar; method=" + method, entry),
            b"\r\n--" + BOUNDARY + b"--\r\n",
            b"\r\n--" + _OUTER + b"\r\n",
            b'Content-Disposition: attachment; filename="invite.ics"\r\n',
            *_entity(b"application/ics", entry),
            b"\r\n--" + _OUTER + b"--\r\n",
        ]
    )


def plain(head: Sequence[bytes | Slot], *, text: Sequence[Piece]) -> Skeleton:
    """Build a letter for someone who wants plain text and nothing else; arguments as of `alternative`."""
    last = text[-1] if text else ""
    ended = isinstance(last, Lines) or (isinstance(last, str) and last.endswith("\n"))
    whole = text if ended else [*text, "\n"]  # a message ends in a line end
    return Skeleton([*head, b"MIME-Version: 1.0\r\n", *_entity(b"text/plain", whole)])


def _part(media_type: bytes, pieces: Sequence[Piece]) -> list[bytes | Slot]:
    return [b"\r\n--" + BOUNDARY + b"\r\n", *_entity(media_type, pieces)]


def _entity(media_type: bytes, pieces: Sequence[Piece]) -> list[bytes | Slot]:
    return [
        b"Content-Type: " + media_type + b"; charset=utf-8\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
        *_body(pieces),
    ]


# The contents of a mailing differ in little but the lines they share: their frame is the same, and most headings.
_literal = lru_cache(maxsize=512)(encode)


def _body(pieces: Sequence[Piece]) -> list[bytes | Slot]:
    """Encode each literal by itself, with soft breaks between the pieces.

    A value then starts a line of its own, whatever it is, and never meets the line length of its neighbours.
    """
    encoded: list[bytes | Slot] = []
    whole = True  # nothing stands before, or whole lines that text may follow
    for piece in pieces:
        if isinstance(piece, Lines):
            encoded.append(piece.encoded)
            whole = True
            continue
        if encoded and not (whole and isinstance(piece, str)):
            encoded.append(SOFT_BREAK)
        encoded.append(_literal(piece) if isinstance(piece, str) else piece)
        whole = False
    return encoded
