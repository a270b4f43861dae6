"""A member's own values inside a template.

A template that only puts a value out needs no value: a mark stands for it, and the rendered text is split at the
marks. A template that computes with one (`name|upper`, `{% if name %}`) meets a Blank, which refuses; it is then
rendered once per member with Known values. Both ways the value itself is encoded by its slot.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Self

from mailer.message.quoted_printable import Lines
from mailer.message.skeleton import Piece
from mailer.message.slots import Slot

# The text of a letter has been cleaned of these two characters, so a mark cannot be forged.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_KEY = re.compile("[a-z_0-9.]+")
_LINES = "lines."  # begins the key of lines that are shared
_OR = ".or."  # in the key of a value with a fallback, which follows in hexadecimal digits


def mark_of(key: str) -> str:
    """Return what stands for a value, or for lines that are shared, in a rendered text."""
    return f"{_OPEN}{key}{_CLOSE}"


class SlotMisused(Exception):
    """A template did more with a personal value than put it out."""


class Blank:
    """Stands for a value that is not known yet; `put_out` shows it, everything else raises SlotMisused."""

    __slots__ = ("mark",)

    def __init__(self, key: str) -> None:
        self.mark = mark_of(key)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise SlotMisused(self.mark.strip(_OPEN + _CLOSE))

    __getattr__ = __getitem__ = __iter__ = __len__ = __contains__ = __call__ = _refuse
    __str__ = __repr__ = __format__ = __html__ = __bool__ = __hash__ = __int__ = __float__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __mod__ = __rmod__ = __mul__ = __rmul__ = _refuse


class Known(str):
    """A value that is known: computes like any text, and is marked all the same where it is put out unchanged."""

    __slots__ = ("mark",)
    mark: str

    def __new__(cls, key: str, value: str) -> Self:
        known = super().__new__(cls, value)
        known.mark = mark_of(key)
        return known


def otherwise(value: Blank | Known, fallback: str) -> Blank | Known:
    """Put `fallback` out where the value is empty: `{{ names|otherwise(_('friend')) }}`."""
    key = f"{value.mark.strip(_OPEN + _CLOSE)}{_OR}{fallback.encode().hex()}"
    return Blank(key) if isinstance(value, Blank) else Known(key, value or fallback)


def with_fallback(key: str) -> tuple[str, str]:
    """Return the key of a value and its fallback, "" for none."""
    own, _, fallback = key.partition(_OR)
    return own, bytes.fromhex(fallback).decode()


def put_out(value: object) -> object:
    """Jinja's finalize: what an output expression yields."""
    return value.mark if isinstance(value, Blank | Known) else value


def split(rendered: str, slot_of: Callable[[str], Slot], shared: Mapping[str, Lines]) -> list[Piece]:
    """Split a rendered text into its literals, the lines it shares with others, and its slots.

    raises  SlotMisused when a mark did not come through whole
    """
    first, *rest = rendered.split(_OPEN)
    if _CLOSE in first:
        raise SlotMisused("a mark was changed after it was put out")
    pieces: list[Piece] = [first] if first else []
    for part in rest:
        key, closed, literal = part.partition(_CLOSE)
        if not closed or not _KEY.fullmatch(key) or _CLOSE in literal:
            raise SlotMisused("a mark was changed after it was put out")
        pieces.append(shared[key] if key.startswith(_LINES) else slot_of(key))
        if literal:
            pieces.append(literal)
    return pieces


def fill(pieces: Sequence[Piece], values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """Join the pieces of a letter to be shown here rather than sent."""
    return "".join(
        escape(values[piece.key] or piece.fallback) if isinstance(piece, Slot) else _text_of(piece) for piece in pieces
    )


def _text_of(piece: str | Lines) -> str:
    return piece if isinstance(piece, str) else piece.text


def size_of(pieces: Sequence[Piece]) -> int:
    """Return how many octets the pieces have, what is each reader's own not counted."""
    return sum(
        piece.size if isinstance(piece, Lines) else len(piece.encode())
        for piece in pieces
        if not isinstance(piece, Slot)
    )
