"""What a file or a calendar says of its events, whichever form it has."""

from dataclasses import dataclass

from mailer.events.details import Details
from mailer.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Said:
    """An event, by the key that its source knows it by: a table's name, or a calendar's UID.

    uid       None: it has none yet, and is given one of ours
    sequence  the source's own count of changes
    """

    key: str
    details: Details
    cancelled: bool = False
    uid: str | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """An event that cannot be taken, by its key or title, and why. It stops no other."""

    event: str
    why: Sentence
