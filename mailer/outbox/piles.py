"""What lies on a worker's desk: batches as piles of letters, and what the journal says of each."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailer.outbox.ahead import Ready
from mailer.outbox.batches import Lease
from mailer.outbox.journal import Mark, record
from mailer.outbox.manifest import Letter, Occasion
from mailer.outbox.models import DeliveryState
from mailer.outbox.verdicts import Attempt, Verdict

_MARKS = {
    DeliveryState.SENT: Mark.SENT,
    DeliveryState.FAILED: Mark.FAILED,
    DeliveryState.UNCERTAIN: Mark.UNANSWERED,
    DeliveryState.QUEUED: Mark.LATER,
}


@dataclass(slots=True)
class Pile:
    """A batch on the desk: how many of its letters have no outcome yet, and until when its lease is trusted."""

    lease: Lease
    occasion: Occasion
    open: int
    until: float  # on the monotonic clock

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self.until

    def close_one(self) -> None:
        """Count one letter less that has no outcome, unless the batch was let go of meanwhile."""
        if self.open:
            self.open -= 1


@dataclass(slots=True)
class Task:
    """A letter on the desk."""

    pile: Pile
    letter: Letter
    ready: Ready | None  # composed ahead
    started: float = 0.0  # on the monotonic clock; 0: not yet

    def attempt(self, at: datetime, address: str) -> Attempt:
        """Return what the judge must know of it."""
        return Attempt(
            ticket=self.letter.ticket,
            attempts=self.letter.attempts,
            at=at,
            give_up_at=self.pile.occasion.give_up_at,
            address=address,
            names=self.names,
            repeats=self.pile.occasion.repeats and not self.letter.repeated,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The words that name its recipients, to be masked in what a server says."""
        return tuple(word for held in self.letter.held if held.recipient for word in held.recipient.words())


def mark_of(verdict: Verdict) -> Mark:
    """Say what happened: whoever inherits a journal decides by itself what follows from it."""
    return Mark.UNANSWERED if verdict.repeated else _MARKS[verdict.state]


def notes(tasks: Iterable[Task], mark: Mark, code: str = "") -> bytes:
    """Return the journal's records of what happened to all deliveries of some letters."""
    return b"".join(
        [
            record(mark, lease.batch, lease.fence, held.delivery, code)
            for task in tasks
            for lease in (task.pile.lease,)
            for held in task.letter.held
        ]
    )
