"""Who an item is for, and so why it is there. Pure; knows of no database.

Without a district an item is for everyone; with districts it is for those who chose one of them or a district below
one of them (news of the municipality reaches its city districts, not the other way round). A member who chose no
district hears of the roots of the tree only. Without a topic an item is for everyone, with topics for those who chose
one of them, or none at all. Both must hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from mailer.digest.items import Happening, Item, Occasion


class Kind(StrEnum):
    """Why a block is there. The first that holds, in this order, is the reason."""

    __hash__ = str.__hash__  # the enum's own is written in Python, and every digest hashes a dozen of them

    LEAD = "lead"  # a section only, never a reason
    DISTRICT = "district"
    PARENT = "parent"
    TOPIC = "topic"
    ALL_TOPICS = "all topics"  # the reader chose none, which means every one
    EVERYONE = "everyone"


class Reason(NamedTuple):
    kind: Kind
    slug: str | None = None


class Pick(NamedTuple):
    item: int
    reason: Reason


class Newcomers(NamedTuple):
    district: str
    number: int


@dataclass(frozen=True, slots=True)
class View:
    """One reader's side of an occasion. `near`: slug -> steps up the tree from what the reader chose.

    happenings   the coming events that the digest tells, whatever its news is
    newcomers    how many members brought to the chosen districts, the most first: told as well, whatever the news is
    """

    occasion: Occasion
    own: frozenset[str]
    near: Mapping[str, int]
    topics: frozenset[str]
    start: datetime
    reasons: dict[int, Reason] = field(default_factory=dict)  # found so far, by item
    happenings: tuple[Pick, ...] = ()
    newcomers: tuple[Newcomers, ...] = ()


Placed = TypeVar("Placed", Item, Happening)
_because = lru_cache(maxsize=4096)(Reason)  # few are different, and they are asked for at every reader
_LEAD = Reason(Kind.LEAD)
_ALL_TOPICS = Reason(Kind.ALL_TOPICS)
EVERYONE = Reason(Kind.EVERYONE)


def reaching(items: Sequence[Placed], near: Mapping[str, int]) -> list[Placed]:
    """Keep what is for everyone or of a district in `near`."""
    slugs = near.keys()
    return [item for item in items if not item.districts or not slugs.isdisjoint(item.districts)]


def reason_for(item: Item, view: View) -> Reason:
    """Return the first that holds: a chosen district, one above it, a chosen topic, all topics, for everyone."""
    reason = view.reasons.get(item.id)
    if reason is None:
        reason = view.reasons[item.id] = _reason(item, view)
    return reason


def _reason(item: Item, view: View) -> Reason:
    if of_place := reason_of_place(item, view):
        return of_place
    if chosen := item.topics & view.topics:
        return _because(Kind.TOPIC, min(chosen))
    return _ALL_TOPICS if item.topics else EVERYONE


def happenings_near(view: View) -> tuple[Pick, ...]:
    """Return the next events for everyone, of a chosen district or of one above it, each with its reason."""
    occasion = view.occasion
    near = reaching(occasion.happenings, view.near)[: occasion.at_most_happenings]
    return tuple(Pick(one.id, reason_of_place(one, view) or EVERYONE) for one in near)


def newcomers_of(view: View) -> tuple[Newcomers, ...]:
    found = [Newcomers(slug, number) for slug, number in view.occasion.newcomers.items() if slug in view.own]
    return tuple(sorted(found, key=lambda one: (-one.number, one.district)))


def reason_of_place(item: Item | Happening, view: View) -> Reason | None:
    if own := item.districts & view.own:
        return _because(Kind.DISTRICT, min(own))
    if view.own and (above := item.districts & view.near.keys()):
        return _because(Kind.PARENT, min(above, key=lambda slug: (view.near[slug], slug)))
    return None


def heading_for(item: Item, view: View) -> Reason:
    """Return the section an item stands in: what is important or leads stands first, the rest by its reason."""
    return _LEAD if item.lead or item.important else reason_for(item, view)
