"""Who gets a letter about an event, and which. Pure.

An event is for members who chose one of its districts or a district below one of them, as news is; without a district
it is for everybody. Members who share an address are written to once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from subscribers.reader import Reader
from subscribers.tree import steps_up


class Why(StrEnum):
    """Why someone near the event who subscribes does not get a step."""

    SAID_NO = "said no"
    NOT_ASKED = "did not say yes"  # of what goes to those alone who did
    TOLD = "told already"  # a digest or another letter told them of it so shortly before
    ENOUGH = "enough letters"  # they have had as many this week as the config allows
    COMES = "said yes"  # before they were invited
    NEW = "joined since"  # after the step was due


class Reason(NamedTuple):
    """Why the event concerns the reader: "district" or "parent" and its slug, "everyone", "coming", or "told"."""

    kind: str
    slug: str | None = None


FOR_YES = frozenset({"details", "thanks"})
_EVERYONE = Reason("everyone")
_COMING = Reason("coming")


class Chosen(NamedTuple):
    """`letter`: folder of templates/email; `members`: those of the household whom it is for."""

    letter: str
    members: tuple[int, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Area:
    """For whom an event is. `found` so far, by what a reader chose."""

    districts: frozenset[str]
    parents: Mapping[str, str | None]
    found: dict[frozenset[str], Reason | None] = field(default_factory=dict)

    def reason_for(self, chosen: frozenset[str]) -> Reason | None:
        """Return the first that holds: a chosen district, the nearest above one, everybody; None: not for them."""
        if not self.districts:
            return _EVERYONE
        if chosen not in self.found:
            self.found[chosen] = self._reason(chosen)
        return self.found[chosen]

    def _reason(self, chosen: frozenset[str]) -> Reason | None:
        if own := self.districts & chosen:
            return Reason("district", min(own))
        steps = steps_up(chosen, self.parents)
        if above := self.districts & steps.keys():
            return Reason("parent", min(above, key=lambda slug: (steps[slug], slug))) if chosen else _EVERYONE
        return None


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is the same for all readers of a step.

    letter     of the step
    due_at     whoever subscribed later is not told late
    coming     members who said yes and have a place; `declined`: who said no
    told       by member id: nonzero when they were told of the event, as it is now, a short while ago
    had        by member id: letters about events in the last seven days; `at_most` of them are enough
    """

    letter: str
    due_at: datetime
    area: Area
    coming: Collection[int]
    declined: Collection[int]
    told: Sequence[int]
    had: Sequence[int]
    at_most: int


def choose(reader: Reader, occasion: Occasion) -> Chosen | Why | None:
    """Return what a reader gets or why not; None: the event is not near them."""
    reason = occasion.area.reason_for(reader.districts)
    if reason is None:
        return None
    members = tuple(member for member in reader.household if member not in occasion.declined)
    coming = tuple(member for member in members if member in occasion.coming)
    meant = coming if occasion.letter in FOR_YES else members
    told = any(_at(occasion.told, member) for member in meant)
    enough = any(_at(occasion.had, member) >= occasion.at_most for member in meant)
    objections = (
        (not members, Why.SAID_NO),
        (not meant, Why.NOT_ASKED),
        (reader.since > occasion.due_at, Why.NEW),
        (bool(coming) and occasion.letter == "invitation", Why.COMES),
        (told, Why.TOLD),
        (enough and not coming, Why.ENOUGH),  # who comes gets the details all the same
    )
    for holds, why in objections:
        if holds:
            return why
    if coming:
        return Chosen("details" if occasion.letter == "reminder" else occasion.letter, meant, _COMING)
    return Chosen(occasion.letter, meant, reason)


def _at(numbers: Sequence[int], member: int) -> int:
    return numbers[member] if member < len(numbers) else 0  # one who joined since they were counted
