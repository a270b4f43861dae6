"""What planning an edition looks at: its items, and what is the same for all readers. Pure; knows of no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# The mask of what someone has had: one bit for each story, and the lowest for "an edition in this month".
SERVED_THIS_MONTH = 1
MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Item:
    """A news item as an edition sees it. `bit` is its story's place in the mask of what someone has had."""

    id: int
    bit: int
    published_at: datetime
    districts: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    important: bool = False
    hidden: bool = False  # by anyone, or left out of this edition by its editor
    lead: bool = False
    position: int | None = None
    rank: tuple[bool, float, bool, float, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = float("inf") if self.position is None else self.position
        order = (not self.lead, place, not self.important, -self.published_at.timestamp(), self.id)
        object.__setattr__(self, "rank", order)  # once: ranking asks for it at every reader


Items = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Happening:
    """A coming event as an edition sees it: it stands below the news."""

    id: int
    starts_at: datetime
    districts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is the same for all readers of an edition. `parents`: slug of a district -> of the one above it.

    newcomers   slug of a district -> how many members brought there, of those numbers that may be shown
    """

    now: datetime
    fresh_for: timedelta
    new_member: timedelta
    at_least: int
    per_section: int
    at_most: int
    parents: Mapping[str, str | None]
    happenings: tuple[Happening, ...] = ()  # the next one first
    at_most_happenings: int = 0
    newcomers: Mapping[str, int] = field(default_factory=dict)
