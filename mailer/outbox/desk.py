"""The desk: where a worker hands its letters to a provider and takes the outcomes back.

All of it is in memory and belongs to the event loop's thread; the database is written elsewhere, in groups. What
may not be lost meanwhile stands in the journal.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain, islice

import structlog

from mailer.errors import ProviderDown, SendError, UtskickError
from mailer.message import Message
from mailer.message.headers import Refused
from mailer.outbox import breaker, clearance
from mailer.outbox.ahead import Ready
from mailer.outbox.batches import Lease, Terms
from mailer.outbox.compose import Composer
from mailer.outbox.journal import Journal, Mark
from mailer.outbox.ledger import Entry
from mailer.outbox.manifest import Hand, Held
from mailer.outbox.models import DeliveryState, Lane
from mailer.outbox.permission import Permission
from mailer.outbox.piles import Pile, Taken, Task, lay_out, mark_of
from mailer.outbox.ration import Ration
from mailer.outbox.verdicts import Verdict, judge, sent
from mailer.providers import Outcome, Outgoing, Receipt

ASKED_AHEAD = 500  # letters, a batch: fewer are asked about again in vain when something changes, more ask more at once
log = structlog.get_logger()


class Desk:
    """mailer.providers.Desk, for one worker. `stopping` says when nothing more is to be taken."""

    def __init__(
        self,
        *,
        journal: Journal,
        composer: Composer,
        permission: Permission,
        terms: Terms,
        now: Callable[[], datetime],
        stopping: Callable[[], bool],
    ) -> None:
        self.unfit: dict[int, str] = {}  # mailings that cannot be rendered for anyone -> why
        self.provider = ""
        self.down: ProviderDown | None = None
        self.ration: Ration | None = None  # None: as many as there are
        self.works = False  # `provider` has shown that it can be used
        self._taken: list[Taken] = []  # not judged yet
        self._entries: list[Entry] = []  # for the books, in the order they happened; before `_taken`
        self._refusals = 0  # that speak of us, one after the other
        self._bearable = breaker.IN_A_ROW
        self._journal = journal
        self._composer = composer
        self._permission = permission
        self._trusted = (terms.lease - terms.margin).total_seconds()  # for so long after it was asked for
        self._now = now
        self._stopping = stopping
        self._waiting: deque[Task] = deque()
        self._out: dict[int, Task] = {}
        self._piles: dict[Lease, Pile] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def turn_to(self, provider: str, *, bearable: int) -> None:
        """Let `provider` take over. After `bearable` refusals in a row that speak of us it gets no more."""
        if provider != self.provider:
            self._refusals = 0
        self.provider, self.down, self.ration, self.works = provider, None, None, False
        self._bearable = bearable

    @property
    def stays_open(self) -> bool:
        """Whether there are letters for a provider that may have them."""
        return bool(self._waiting) and self.down is None and not self._stopping()

    @property
    def offers(self) -> bool:
        """Whether a provider that asks now may get something."""
        return self.stays_open and (self.ration is None or self._covered(self.ration))

    def _covered(self, ration: Ration) -> bool:
        return ration.ready and (self.urgent or not ration.urgent)

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for the next letter."""
        return bool(self._waiting) and self._waiting[0].pile.lease.lane == Lane.ONE

    @property
    def wanted(self) -> int:
        """How many letters there are of the next one's kind; they lie together."""
        return sum(1 for task in self._waiting if task.pile.lease.lane == self._waiting[0].pile.lease.lane)

    @property
    def outcomes(self) -> int:
        """How many there are that the books were not told of."""
        return len(self._taken) + len(self._entries)

    def hand_in(self) -> list[Entry]:
        """Return what the books shall say of all outcomes so far, in their order; ask for `finished` only then."""
        self._judge_taken()
        entries, self._entries = self._entries, []
        return entries

    def take_back(self, entries: list[Entry]) -> None:
        """Keep what was handed in and could not be written."""
        self._entries = entries + self._entries

    @property
    def leases(self) -> list[Lease]:
        return list(self._piles)

    @property
    def finished(self) -> list[Lease]:
        """Leases with nothing left on the desk: their batches can be given back when all outcomes are written."""
        return [lease for lease, pile in self._piles.items() if not pile.open]

    def changes_so_far(self) -> int:
        """Return the number that `add` wants with a batch that is fetched from now on."""
        self._permission.refresh()
        return self._permission.changes

    def add(self, hand: Hand, ready: Sequence[Ready | None], *, leased_at: float, changes: int) -> None:
        """Lay a batch on the desk, a letter to one on top.

        leased_at  monotonic, before its lease was asked for
        changes    of `changes_so_far`, before too: who may be written to is believed unless there were more since
        """
        self._permission.refresh()
        self._permission.ask_again(hand.lease.mailing)  # it may have been stopped while its batch was being leased
        self._permission.learn(hand.occasion, hand.allowed, changes=changes)
        pile = Pile(hand.lease, hand.occasion, len(hand.letters), leased_at + self._trusted)
        self._piles[hand.lease] = pile
        tasks = lay_out(pile, hand.letters, ready)
        if hand.lease.lane == Lane.ONE:
            self._waiting.extendleft(reversed(tasks))
        else:
            self._waiting.extend(tasks)

    def extended(self, leases: Sequence[Lease], *, leased_at: float) -> None:
        """Note that `leases` were extended. Any other was lost: its letters are somebody else's to decide on."""
        for lease, pile in self._piles.items():
            if lease in leases:
                pile.until = leased_at + self._trusted
            else:
                pile.until = float("-inf")
                self.clear([lease])

    def clear(self, leases: Sequence[Lease]) -> None:
        """Take all waiting letters of `leases` off the desk, untouched: they stay queued in the books."""
        kept = deque(task for task in self._waiting if task.pile.lease not in leases)
        for task in self._waiting:
            if task.pile.lease in leases:
                task.pile.close_one()
        self._waiting = kept

    @property
    def in_doubt(self) -> bool:
        """Whether a letter was started of which no provider said what became of it: only the journal knows."""
        return any(task.started for task in self._out.values())

    def empty(self) -> None:
        """Nothing is under way: take everything off the desk, so that every batch can be given back."""
        self._waiting.clear()
        self._out.clear()
        for pile in self._piles.values():
            pile.open = 0

    def forget(self, lease: Lease) -> None:
        """Drop a lease that was given back."""
        self._piles.pop(lease).until = float("-inf")  # a provider may still have an envelope of it

    def drop_stopped(self) -> bool:
        """Let go of mailings that were stopped; return whether a batch of theirs can be given back now.

        A letter already handed over is answered first. An envelope that a provider still has is no hindrance: without
        its lease it will not be allowed the irrevocable line.
        """
        self._permission.refresh()
        stopped = [lease for lease in self._piles if not self._permission.going(lease.mailing)]
        if not stopped:
            return False
        self.clear(stopped)
        started = {task.pile.lease for task in self._out.values() if task.started}
        for lease in stopped:
            if lease not in started:
                self._piles[lease].open = 0
                self._piles[lease].until = float("-inf")
        return not started.issuperset(stopped)

    def take(self) -> Outgoing | None:
        """Hand over the next letter that may still be sent, as far as was known at the last start."""
        while self.offers:
            task = self._waiting.popleft()
            mailing, ticket = task.pile.occasion.mailing, task.letter.ticket
            known = self._permission.known_to_be_allowed(mailing)
            if task.ready is not None and task.alone in known and not self.unfit:
                message: Message | None = task.ready.message()  # as nearly all are
            else:
                message = self._compose_with_care(task)
            if message is not None:
                self._out[ticket] = task
                if self.ration is not None:
                    self.ration.spend()
                return Outgoing(ticket, f"{mailing}-{ticket}", message)
        return None

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        """Allow the irrevocable lines of those whose mailing, members and lease are as they were when composed.

        The lease is looked at again after the journal was written: a worker may be stopped between any two lines,
        and one that wakes up here too late has only a harmless note to take back.
        raises  OSError when the journal cannot be written: none may go
        """
        self._permission.refresh_once_a_pass()
        tasks = [self._out[outgoing.ticket] for outgoing in outgoings]
        now = time.monotonic()
        allowed = [task for task in tasks if now < task.pile.until and self._may_go(task)]
        self._journal.append(b"".join([task.intent for task in allowed]))
        now = time.monotonic()
        for task in allowed:
            task.started = now
        return [one for one, task in zip(outgoings, tasks, strict=True) if task.started and now < task.pile.until]

    def _may_go(self, task: Task) -> bool:
        mailing = task.pile.occasion.mailing
        if task.alone in self._permission.known_to_be_allowed(mailing):
            return True  # nearly always
        return self._permission.going(mailing) and not self._refused(task)

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Keep an outcome for the books. Those that were taken, nearly all, are judged later and in one go."""
        if isinstance(outcome, Receipt):
            task = self._out.pop(outgoing.ticket)
            self._journal.keep(task.receipt)
            took = time.monotonic() - task.started
            self._taken.append(Taken(task, outcome, outgoing.message.recipient, self.provider, took))
            self.works, self._refusals = True, 0
            return
        if isinstance(outcome, ProviderDown):
            self.down = outcome
            self.give_back(outgoing)
            return
        self._permission.refresh()  # a server that refuses everything lets nothing be started, where this is asked
        task = self._out.pop(outgoing.ticket)
        verdict = judge(outcome, task.attempt(self._now(), outgoing.message.recipient))
        self._journal.keep(task.note(mark_of(verdict), verdict.code or ""))
        self._enter(task, verdict, self.provider)
        self._weigh(outcome, verdict)

    def _judge_taken(self) -> None:
        """Judge what was accepted. An answer is masked without opening names: it names nobody."""
        taken, self._taken = self._taken, []
        for task, receipt, recipient, provider, took in taken:
            self._entries += task.entries(sent(receipt, task.letter.attempts, recipient), provider, took)
            task.pile.close_one()

    def _weigh(self, outcome: SendError, verdict: Verdict) -> None:
        """Note what a failure says of the provider; one that refuses letter after letter is spared the rest."""
        self.works = breaker.works(outcome)
        if not breaker.speaks_of_us(outcome):
            self._refusals = 0
            return
        self._refusals += 1
        if self._refusals >= self._bearable:
            self.down = self.down or breaker.Refusing(self._refusals, verdict.answer or "")
            self._refusals = 0

    def give_back(self, outgoing: Outgoing) -> None:
        """Put a letter that was never started back in front."""
        task = self._out.pop(outgoing.ticket)
        if task.started:  # allowed, and withdrawn all the same
            self._journal.keep(task.note(Mark.LATER))
        if task.pile.expired:
            task.pile.close_one()
        else:
            task.started = 0.0
            self._waiting.appendleft(task)

    def _compose_with_care(self, task: Task) -> Message | None:
        """Compose what is left of a letter when those who may not be written to are taken off it."""
        mailing = task.pile.occasion.mailing
        if not self._permission.going(mailing) or mailing in self.unfit:
            task.pile.close_one()
            return None
        if refused := self._refused(task):
            self._judge_taken()
            self._entries += clearance.cancel(self._permission, task, refused)
        if not task.letter.held:
            task.pile.close_one()
            return None
        return self._compose(task)

    def _refused(self, task: Task) -> list[Held]:
        return clearance.refused(self._permission, task, self._soon)

    def _soon(self) -> Iterable[Task]:
        """Return those under way, who are asked about again before the last line, and the next in turn."""
        return chain(self._out.values(), islice(self._waiting, ASKED_AHEAD))

    def _compose(self, task: Task) -> Message | None:
        """Compose. A member who cannot be written to fails alone; a letter that fits nobody stops its mailing."""
        if task.ready is not None:
            return task.ready.message()
        letter, occasion = task.letter, task.pile.occasion
        try:
            prepared = self._composer.prepare(occasion, letter.content, len(letter.held))
        except UtskickError as error:
            self.unfit[occasion.mailing] = str(error)
            task.pile.close_one()
            return None
        try:
            return self._composer.message(prepared, occasion, letter)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one member must not stop the others
            # A Refused names the place and never the value; of any other error only the kind is safe to keep.
            answer = str(error) if isinstance(error, Refused) else type(error).__name__
            log.warning("outbox.unrenderable", delivery=letter.ticket, error=type(error).__name__)
            self._enter(task, Verdict(DeliveryState.FAILED, code="compose", answer=answer))
            return None

    def _enter(self, task: Task, verdict: Verdict, provider: str | None = None) -> None:
        self._judge_taken()
        took = time.monotonic() - task.started if task.started else None
        self._entries += task.entries(verdict, provider, took)
        task.pile.close_one()
