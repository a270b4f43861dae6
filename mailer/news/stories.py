"""Which articles tell the same story. Pure and careful: two stories taken for one would hide the second."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

WINDOW = timedelta(days=5)  # tellings of one story come close together
_TITLES_ALIKE = 0.8
_TEXTS_ALIKE = 0.5
_SHINGLE = 3  # words
_COMMON = 50  # articles that share a shingle: then it is a standing phrase and leads nowhere
_FEWEST = 8  # shingles; a shorter text proves nothing

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Telling:
    """An article as far as its story goes. `story` is None until it is judged."""

    item_id: int
    title: str
    body: str
    published_at: datetime
    story: int | None


def same_story(one: Telling, other: Telling) -> bool:
    """Tell whether two articles are near-identical tellings, within WINDOW of one another.

    Numbers must agree in the titles: "693 new homes" and "1 105 new homes" are two pieces of news in one form.
    """
    if abs(one.published_at - other.published_at) > WINDOW or _numbers(one.title) != _numbers(other.title):
        return False
    titles = _likeness(_words(one.title), _words(other.title))
    texts = _shingles(one), _shingles(other)
    if min(len(text) for text in texts) < _FEWEST:
        return titles == 1.0 and _words(one.body) == _words(other.body)
    likeness = _likeness(*texts)
    return likeness >= _TEXTS_ALIKE or (titles >= _TITLES_ALIKE and likeness >= _TEXTS_ALIKE / 2)


class Stories:
    """The tellings of a few weeks; each new one is put with the first earlier one of the same story.

    Looked up by what two texts share, so a thousand articles are not compared pair by pair.
    """

    def __init__(self, tellings: Iterable[Telling]) -> None:
        self._by_shingle: defaultdict[str, list[Telling]] = defaultdict(list)
        for telling in tellings:
            self._learn(telling)

    def place(self, telling: Telling) -> int:
        """Return the story of an article: that of the earliest telling, by id, else the article's own id."""
        sharing = (self._by_shingle.get(shingle, ()) for shingle in _shingles(telling))
        near = {other.item_id: other for others in sharing if len(others) <= _COMMON for other in others}
        alike = (other for _, other in sorted(near.items()) if other.item_id != telling.item_id)
        first = next((other for other in alike if same_story(telling, other)), None)
        story = (first.story or first.item_id) if first else telling.item_id
        self._learn(replace(telling, story=story))
        return story

    def _learn(self, telling: Telling) -> None:
        for shingle in _shingles(telling):
            self._by_shingle[shingle].append(telling)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _numbers(title: str) -> list[str]:
    return re.findall(r"\d+", title)


@lru_cache(maxsize=4096)
def _shingles(telling: Telling) -> frozenset[str]:
    words = _WORD.findall(f"{telling.title} {telling.body}".casefold())
    return frozenset(" ".join(words[place : place + _SHINGLE]) for place in range(len(words) - _SHINGLE + 1))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard: what two sets share, of what they have in all."""
    return len(one & other) / len(one | other) if one or other else 0.0
