"""A member's own values inside a template.

A template that only puts a value out needs no value: a mark stands for it, and the rendered text is split at the
marks. A template that computes with one (`name|upper`, `{% if name %}`) meets a Blank, which refuses; it is then
rendered once per member with Known values. Both ways the value itself is encoded by its slot.
"""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn, Self

from mailer.message.slots import Slot

# The text of a letter has been cleaned of these two characters, so a mark cannot be forged.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{_OPEN}([a-z_0-9.]+){_CLOSE}")
_OR = ".or."  # in the key of a value with a fallback, which follows in hexadecimal digits


class SlotMisused(Exception):
    """A template did more with a personal value than put it out."""


class Blank:
    """Stands for a value that is not known yet; `put_out` shows it, everything else raises SlotMisused."""

    __slots__ = ("mark",)

    def __init__(self, key: str) -> None:
        self.mark = f"{_OPEN}{key}{_CLOSE}"

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
        known.mark = f"{_OPEN}{key}{_CLOSE}"
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


def split(rendered: str, slot_of: Callable[[str], Slot]) -> list[str | Slot]:
    """Split a rendered text into its literals and slots.

    raises  SlotMisused when a mark did not come through whole
    """
    pieces: list[str | Slot] = []
    for number, part in enumerate(_MARK.split(rendered)):
        if number % 2:
            pieces.append(slot_of(part))
        elif _OPEN in part or _CLOSE in part:
            raise SlotMisused("a mark was changed after it was put out")
        elif part:
            pieces.append(part)
    return pieces


def fill(pieces: list[str | Slot], values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """Join the pieces of a letter to be shown here rather than sent."""
    return "".join(piece if isinstance(piece, str) else escape(values[piece.key] or piece.fallback) for piece in pieces)
