"""What becomes of an answer: who has a place, who waits for one, and who gets it when it is free. Pure.

Places are given in the order in which people asked, and nobody overtakes: a party that waits for more places than are
free holds up those behind it. Whoever has a place keeps it, also when there is room for fewer than before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.errors import Mistake
from mailer.events.details import Details

MOST_COMPANIONS = 20


class Answer(StrEnum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody answers. `companions`: whom they bring besides themselves."""

    answer: Answer
    companions: int = 0

    @property
    def people(self) -> int:
        return 1 + self.companions


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer came to. `waiting`: a yes without a place yet, in the order of `since`."""

    wish: Wish
    waiting: bool
    since: datetime

    @property
    def coming(self) -> bool:
        return self.wish.answer is Answer.YES and not self.waiting


@dataclass(frozen=True, slots=True)
class Room:
    """What the others leave. `taken`: by them; `queue`: whether any of them waits; `capacity` None: room for all."""

    capacity: int | None
    taken: int
    queue: bool

    def holds(self, people: int) -> bool:
        return self.capacity is None or self.taken + people <= self.capacity


def require_open(details: Details, *, cancelled: bool, now: datetime) -> None:
    """raises Mistake when nobody can answer any more"""
    if cancelled:
        raise Mistake("It does not take place, so there is nothing to answer.")
    if details.ends_at <= now:
        raise Mistake("It is over, so there is nothing to answer.")
    if details.starts_at <= now and not details.shifts:
        raise Mistake("It has begun, so answers cannot be changed any more.")


def decide(wish: Wish, before: Standing | None, room: Room, *, now: datetime) -> Standing:
    """Return what `wish` comes to. raises Mistake when it cannot be; then all stays as it was"""
    if not 0 <= wish.companions <= MOST_COMPANIONS:
        raise Mistake("You can bring up to {most} companions.", most=MOST_COMPANIONS)
    if wish.answer is not Answer.YES:
        return Standing(Wish(wish.answer), waiting=False, since=now)
    if room.capacity is not None and wish.people > room.capacity:
        raise Mistake("There is room for {capacity} in all.", capacity=room.capacity)
    if before and before.coming:
        if wish.people > before.wish.people and (room.queue or not room.holds(wish.people)):
            raise Mistake("There is no room for more companions. What you answered before still holds.")
        return Standing(wish, waiting=False, since=before.since)
    if before and before.waiting:
        return Standing(wish, waiting=True, since=before.since)
    return Standing(wish, waiting=room.queue or not room.holds(wish.people), since=now)


def promoted(capacity: int | None, taken: int, queue: Iterable[tuple[int, int]]) -> list[int]:
    """Return the members of `queue`, (member, people) in their order, for whom there is a place now."""
    found = []
    for member, people in queue:
        if capacity is not None and taken + people > capacity:
            break
        taken += people
        found.append(member)
    return found
