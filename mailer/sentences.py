"""Sentences for people: English where they are written, translated by whoever shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# What long work tells whoever watches: its step, a sentence; how much of it is done; of how much, None: nobody knows.
Progress = Callable[[str, int, int | None], None]


class Word(str):
    """A value that is in the catalogue itself: it is translated together with the sentence it stands in."""

    __slots__ = ()


def quiet(_step: str, _done: int, _total: int | None) -> None:
    """Be told of progress where nobody watches."""


def N_(sentence: str) -> Word:  # noqa: N802  # the name that gettext's own tools look for
    """Mark what is shown later, to a reader whose language is not known yet."""
    return Word(sentence)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its values apart, so that it can be kept or stand in another one, translated when shown."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return filled(self.text, self.values, str)


def filled(sentence: str, values: Mapping[str, object], translate: Callable[[str], str]) -> str:
    """Return `sentence` translated and with its values in place; without values its braces are braces."""
    words = {name: _translated(value, translate) for name, value in values.items()}
    return translate(sentence).format(**words) if words else translate(sentence)


def _translated(value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, Sentence):
        return filled(value.text, value.values, translate)
    return translate(value) if isinstance(value, Word) and value else value
