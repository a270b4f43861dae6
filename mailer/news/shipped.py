"""The places and topics that the product ships: the reference lists, and the words that tagging looks for."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ShippedPlace:
    """A district with its parent's slug, and the names that stand for it (see the head of places.toml).

    kind  "county", "municipality" or "city district"
    """

    slug: str
    name: str
    kind: str
    parent: str | None
    neighbours: tuple[str, ...]
    places: tuple[str, ...]
    words: tuple[str, ...]
    venues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShippedTopic:
    """A topic, and its words in the notation at the head of topics.toml."""

    slug: str
    name: str
    name_en: str
    words: tuple[str, ...]
    not_words: tuple[str, ...]


@cache
def shipped_places() -> tuple[ShippedPlace, ...]:
    """Return the county, its municipalities and Stockholm's city districts; a parent comes before its children."""
    return tuple(
        ShippedPlace(
            slug=slug,
            name=table["name"],
            kind=table["kind"],
            parent=table.get("parent"),
            neighbours=tuple(table.get("neighbours", ())),
            places=tuple(table.get("places", ())),
            words=tuple(table.get("words", ())),
            venues=tuple(table.get("venues", ())),
        )
        for slug, table in _tables("places.toml").items()
    )


@cache
def shipped_topics() -> tuple[ShippedTopic, ...]:
    """Return the topics in the order in which they are shown."""
    return tuple(
        ShippedTopic(slug, table["name"], table["name_en"], tuple(table["words"]), tuple(table["not"]))
        for slug, table in _tables("topics.toml").items()
    )


def _tables(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
