"""What lies on a worker's desk: batches as piles of letters, and what the journal says of each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import NamedTuple

from mailer.outbox.ahead import Ready
from mailer.outbox.batches import Lease
from mailer.outbox.journal import Mark, record, records
from mailer.outbox.ledger import Entry, Line
from mailer.outbox.manifest import Held, Letter, Occasion
from mailer.outbox.models import DeliveryState
from mailer.outbox.verdicts import Attempt, Verdict
from mailer.providers import Receipt

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
    """A letter on the desk.

    ready            composed ahead
    alone            the one member whom a letter that is ready goes to; 0 for any other
    intent, receipt  what the journal will say of it: that it was started, that it was taken
    """

    pile: Pile
    letter: Letter
    ready: Ready | None
    alone: int
    intent: bytes
    receipt: bytes
    started: float = 0.0  # on the monotonic clock; 0: not yet

    def give_to(self, held: tuple[Held, ...]) -> None:
        """Have it go to some of a household, or to nobody: composed when it is its turn."""
        self.letter, self.ready, self.alone = self.letter._replace(held=held), None, 0
        self.intent, self.receipt = self.note(Mark.STARTED), self.note(Mark.SENT)

    def note(self, mark: Mark, code: str = "") -> bytes:
        """Return the journal's records of what happened to all its deliveries."""
        lease = self.pile.lease
        return b"".join([record(mark, lease.batch, lease.fence, held.delivery, code) for held in self.letter.held])

    def entries(self, verdict: Verdict, provider: str | None, took: float | None) -> list[Entry]:
        """Return what the books shall say of all its deliveries. A household's letter took its time once."""
        entries = []
        for held in self.letter.held:
            entries.append(Entry(self.pile.lease, Line(held.delivery, verdict, provider, took)))
            took = None
        return entries

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


class Taken(NamedTuple):
    """A letter that `provider` took after so many seconds, and its answer. Not the message: some hundred wait here."""

    task: Task
    receipt: Receipt
    recipient: str
    provider: str
    took: float


def lay_out(pile: Pile, letters: Sequence[Letter], ready: Sequence[Ready | None]) -> list[Task]:
    """Return the letters of a pile as they lie on the desk."""
    batch, fence = pile.lease.batch, pile.lease.fence
    tickets = [letter.ticket for letter in letters]
    intents, receipts = (records(mark, batch, fence, tickets) for mark in (Mark.STARTED, Mark.SENT))
    alone = [letter.addressee if one else 0 for letter, one in zip(letters, ready, strict=True)]
    tasks = list(map(Task, repeat(pile), letters, ready, alone, intents, receipts))
    for task in tasks:
        if not task.alone:
            task.give_to(task.letter.held)
    return tasks


def mark_of(verdict: Verdict) -> Mark:
    """Say what happened: whoever inherits a journal decides by itself what follows from it."""
    return Mark.UNANSWERED if verdict.repeated else _MARKS[verdict.state]
