"""What is known of an event and its letters, as frozen values, and what that means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mailer.events.details import Details
from mailer.outbox.states import MailingState

OPEN = frozenset({MailingState.APPROVED, MailingState.PLANNED, MailingState.PAUSED, MailingState.HELD})


class Letter(NamedTuple):
    """A mailing about an event: of a step when `step` says so, else one that told of it among other things."""

    mailing: int
    key: str
    publication: str
    state: MailingState
    reason: str
    planned: bool
    step: str | None
    at: datetime  # when it began or will
    tells: frozenset[int]  # revisions of the event


@dataclass(frozen=True, slots=True)
class Dossier:
    """An event as it is said now, what was said before by the revision's number, and its letters, the first first."""

    id: int
    key: str
    sequence: int
    details: Details
    cancelled: bool
    created_at: datetime
    revisions: Mapping[int, "Said"]
    letters: tuple[Letter, ...]

    @property
    def steps(self) -> frozenset[str]:
        return frozenset(letter.step for letter in self.letters if letter.step)

    def outdated(self, revision: int) -> bool:
        """Say whether whoever was told that revision would come at the wrong time or to the wrong place, or in vain."""
        return revision in self.revisions and self.revisions[revision].where != self.revisions[self.sequence].where

    @property
    def moved(self) -> int:
        """The revision in which time and place, and whether it takes place, became what they are."""
        since = self.sequence
        for revision in sorted(self.revisions, reverse=True):
            if self.outdated(revision):
                break
            since = revision
        return since

    @property
    def said_by(self) -> str | None:
        """The operator who said it as it is now."""
        return self.revisions[self.sequence].by

    @property
    def told_otherwise(self) -> frozenset[int]:
        """The revisions of another time or place that letters told."""
        told = {revision for letter in self.letters if letter.planned for revision in letter.tells}
        return frozenset(filter(self.outdated, told))

    @property
    def news(self) -> str:
        """The name of the step that tells what changed."""
        return f"{'cancelled' if self.cancelled else 'changed'}-{self.moved}"


class Where(NamedTuple):
    """What whoever comes has to know."""

    starts_at: datetime
    ends_at: datetime
    place: str
    meeting_point: str
    route: str
    cancelled: bool


class Said(NamedTuple):
    """A revision. `by`: the operator who said it; `districts`: it was for them, None in both: that is not known."""

    at: datetime
    where: Where
    by: str | None = None
    districts: frozenset[str] | None = None


def is_news(step: str) -> bool:
    """Say whether a step is not of the ladder but tells what changed."""
    return step.startswith(("changed-", "cancelled-"))
