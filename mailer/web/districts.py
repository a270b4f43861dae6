"""The tree of districts, laid out as groups of boxes: a group for every place that has parts."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    id: int
    slug: str
    name: str
    parent: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """`whole` is the place itself, None for places that belong to nothing; `chosen` counts what is chosen in it."""

    whole: Place | None
    parts: tuple[Place, ...]
    chosen: int


def grouped(places: Sequence[Place], chosen: frozenset[str]) -> tuple[Group, ...]:
    """Return the groups, the innermost first: a city's districts before the municipalities around it.

    A place with parts heads its own group and is not repeated among the parts of another.
    """
    by_id = {place.id: place for place in places}
    parts: dict[int, list[Place]] = {}
    for place in places:
        if place.parent in by_id:
            parts.setdefault(place.parent, []).append(place)
    heads = sorted((by_id[number] for number in parts), key=lambda head: (-_depth(head, by_id), swedish(head.name)))
    loners = [place for place in places if place.parent not in by_id and place.id not in parts]
    groups = [_group(head, (p for p in parts[head.id] if p.id not in parts), chosen) for head in heads]
    return tuple(groups + ([_group(None, loners, chosen)] if loners else []))


def matching(places: Iterable[Place], query: str) -> tuple[Place, ...]:
    """Return the places whose name has `query` in it, in order; case and accents do not matter, nor do å and a."""
    wanted = _plain(query)
    found = (place for place in places if wanted and wanted in _plain(place.name))
    return tuple(sorted(found, key=lambda place: swedish(place.name)))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", " ".join(text.split()).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _group(whole: Place | None, parts: Iterable[Place], chosen: frozenset[str]) -> Group:
    ordered = tuple(sorted(parts, key=lambda place: swedish(place.name)))
    inside = {place.slug for place in (*ordered, *([whole] if whole else []))}
    return Group(whole, ordered, len(chosen & inside))


def _depth(place: Place, by_id: dict[int, Place]) -> int:
    depth, seen = 0, {place.id}
    while place.parent in by_id and place.parent not in seen:
        place = by_id[place.parent]
        seen.add(place.id)
        depth += 1
    return depth


def swedish(name: str) -> str:
    """Return a key that sorts å, ä and ö after z, as a Swede looks them up."""
    return name.lower().translate(_LAST)


_LAST = str.maketrans({"å": "{a", "ä": "{b", "ö": "{c", "é": "e", "ü": "y"})
