"""An event as it is said: frozen values, and what it means when they change. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum

from mailer.ladder import ANY_KIND


class EventState(StrEnum):
    PLANNED = "planned"
    CHANGED = "changed"  # when or where is not what it was first said to be
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of an event's way: the gathering, the march, the speeches. `at` is aware UTC."""

    at: datetime
    what: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A time at a place that needs so many people."""

    starts_at: datetime
    ends_at: datetime
    place: str
    needs: int


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of an event. Moments are aware UTC; `zone` is the IANA zone of its clock.

    all_day    it has days and no hours; `ends_at` is the midnight after the last one
    map_url    where a map shows the place; `url` where more is told; http(s) or ""
    access     notes on accessibility
    capacity   how many can come, None: any number
    districts  slugs; none: for everybody
    kind       a slug: whose ladder of letters it has, see mailer.ladder
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    all_day: bool = False
    text: str = ""
    place: str = ""
    map_url: str = ""
    meeting_point: str = ""
    route: tuple[Step, ...] = ()
    shifts: tuple[Shift, ...] = ()
    access: str = ""
    rain_plan: str = ""
    contact: str = ""
    url: str = ""
    capacity: int | None = None
    districts: frozenset[str] = field(default_factory=frozenset)
    kind: str = ANY_KIND


NAMES = tuple(one.name for one in fields(Details))
# Whoever was told another one of these would come at the wrong time or to the wrong place.
WHEN_AND_WHERE = frozenset({"starts_at", "ends_at", "zone", "all_day", "place", "meeting_point", "route"})
STATE = "state"  # stands among the names of what changed when an event is cancelled, or is not after all


def differing(old: Details, new: Details) -> tuple[str, ...]:
    """Return the names of what is said otherwise."""
    return tuple(name for name in NAMES if getattr(old, name) != getattr(new, name))


def kept(old: Details, new: Details, names: Collection[str]) -> Details:
    """Return `new` with what a person set by hand as `old` has it."""
    return replace(new, **{name: getattr(old, name) for name in NAMES if name in names})


def state_after(changes: Iterable[Collection[str]], *, cancelled: bool) -> EventState:
    """Return the state of an event. `changes`: for each revision after the first, the names of what changed in it."""
    if cancelled:
        return EventState.CANCELLED
    moved = any(WHEN_AND_WHERE.intersection(names) for names in changes)
    return EventState.CHANGED if moved else EventState.PLANNED
