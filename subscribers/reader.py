"""A Reader: a member as planning may see one. No name, no address."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Cadence


@dataclass(frozen=True, slots=True)
class Reader:
    """Choices as slugs; `topics` empty means all. `household` are the ids that share one mail, lowest first."""

    member_id: int
    household: tuple[int, ...]
    language: str
    plain_only: bool
    districts: frozenset[str]
    topics: frozenset[str]
    cadence: Cadence
    since: datetime
