"""Sentences for people: English where they are written, translated by whoever shows them."""

from collections.abc import Callable, Mapping


class Word(str):
    """A value that is in the catalogue itself: it is translated together with the sentence it stands in."""

    __slots__ = ()


def N_(sentence: str) -> Word:  # noqa: N802  # the name that gettext's own tools look for
    """Mark what is shown later, to a reader whose language is not known yet."""
    return Word(sentence)


def filled(sentence: str, values: Mapping[str, object], translate: Callable[[str], str]) -> str:
    """Return `sentence` translated and with its values in place; without values its braces are braces."""
    words = {name: translate(value) if isinstance(value, Word) and value else value for name, value in values.items()}
    return translate(sentence).format(**words) if words else translate(sentence)
