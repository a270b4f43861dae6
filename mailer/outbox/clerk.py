"""The worker's side of the database: every method is one short transaction, called from the worker's own thread."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import sqlalchemy as sa
import structlog

from mailer import db
from mailer.outbox import batches, control, home, ledger, manifest, permission, recovery, shares, tallies
from mailer.outbox.batches import Lease, Terms
from mailer.outbox.home import Watermark
from mailer.outbox.journal import Journal, Mark, Note, estates
from mailer.outbox.ledger import Entry, Line
from mailer.outbox.manifest import Hand
from mailer.outbox.models import DeliveryState, Lane
from mailer.outbox.tallies import Tallies

FORGOTTEN = timedelta(hours=1)
log = structlog.get_logger()


class Clerk:
    def __init__(
        self,
        engine: sa.Engine,
        journal: Journal,
        *,
        terms: Terms,
        give_up_after: timedelta,
        send_within: timedelta = timedelta(days=7),
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._watermark = Watermark.beside(journal.folder)
        self._terms = terms
        self._give_up_after = give_up_after
        self._send_within = send_within
        self._now = now
        self._tallies = Tallies()

    def here(self) -> None:
        """Say that this worker is alive."""
        with db.writing_beside(self._engine) as session:
            tallies.here(session.connection(), self._journal.owner, now=self._now())

    def leave(self) -> None:
        """Say that this worker has ended, and forget those that fell."""
        with db.writing_beside(self._engine) as session:
            tallies.gone(session.connection(), self._journal.owner, before=self._now() - FORGOTTEN)
            shares.leave(session.connection(), self._journal.owner)

    def lease(self, up_to: Lane = Lane.MANY) -> Hand | None:
        """Take the next batch, of no lane beyond `up_to`. Its lease is in the journal first, then durable, then used.

        So a lease that the database knows and the journal does not means that the journal was lost.
        """
        with db.writing_beside(self._engine) as session:
            connection, now = session.connection(), self._now()
            control.hold_late(connection, now=now)
            lease = batches.take(connection, owner=self._journal.owner, terms=self._terms, now=now, up_to=up_to)
            if lease is None:
                return None
            db.outlive_power_cuts(connection)
            occasion = manifest.begin(
                connection, lease, give_up_after=self._give_up_after, send_within=self._send_within, now=now
            )
            number = home.count_lease(connection, self._watermark)
            self._journal.write([Note(Mark.LEASE, lease.batch, lease.fence)])
        self._watermark.rise_to(number)
        with db.reading(self._engine) as session:
            connection = session.connection()
            letters = manifest.letters(connection, lease, occasion.elsewhere)
            members = [held.member for letter in letters for held in letter.held]  # just read: they cost little now
            return Hand(lease, occasion, letters, permission.ask(connection, occasion, members, now=self._now()))

    def somebody_waits(self) -> bool:
        """Say whether a letter to one is due, which is not to lie behind those on the desk."""
        with db.reading(self._engine) as session:
            return batches.somebody_waits(session.connection(), now=self._now())

    def record(self, entries: Sequence[Entry], *, held: Sequence[Lease], finished: Collection[Lease]) -> set[Lease]:
        """Write outcomes and give `finished` batches back; return which of `held` are still ours.

        A batch that was lost meanwhile has been called uncertain by somebody; where we heard an answer we know better.
        """
        with db.writing_beside(self._engine) as session:
            connection, now = session.connection(), self._now()
            ours = batches.extend(connection, held, owner=self._journal.owner, until=now + self._terms.lease)
            lines: list[Line] = []
            late: list[Line] = []
            for lease, some in groupby(entries, key=itemgetter(0)):
                (lines if lease in ours else late).extend(map(itemgetter(1), some))
            ledger.write(connection, lines, over=DeliveryState.QUEUED, now=now)
            known = [line for line in late if line.verdict.known]
            ledger.write(connection, known, over=DeliveryState.UNCERTAIN, now=now)
            for lease in finished:
                if lease in ours:
                    batches.give_back(connection, lease, now=now)
            self._tallies.count([line for _, line in entries])
            self._tallies.add(connection, at_once=bool(finished))
        _tell(entries)
        under_way = {lease.mailing for lease in ours.difference(finished)}  # with a batch of theirs in our hands
        self._conclude({lease.mailing for lease in finished} - under_way)
        return ours

    def recover(self, folder: Path, *, boot_id: str) -> None:
        """Settle what dead workers left, and what was cancelled while a worker had it in hand.

        First of all see whether the database is still the one that this machine knows.
        """
        home.look_round(self._engine, self._watermark, now=self._now())
        with estates(folder, boot_id=boot_id) as inherited:
            for remains in inherited:
                with db.writing_beside(self._engine) as session:
                    leases = recovery.inherit(session.connection(), remains, now=self._now())
                    shares.leave(session.connection(), remains.owner)
                log.info("outbox.inherited", worker=remains.owner, batches=len(leases))
        with db.writing_beside(self._engine) as session:
            leases = recovery.give_up(session.connection(), terms=self._terms, now=self._now())
        if leases:
            log.warning("outbox.lost_worker", batches=len(leases))
        while self._cancelled_some():
            pass
        with db.reading(self._engine) as session:
            under_way = ledger.under_way(session.connection())
        self._conclude(under_way)

    def hold(self, mailing: int, reason: str) -> None:
        """Stop a mailing for a person to look at."""
        with db.writing_beside(self._engine) as session:
            control.hold(session.connection(), mailing, reason=reason)

    def _cancelled_some(self) -> bool:
        with db.writing_beside(self._engine) as session:
            return control.cancel_some(session.connection(), now=self._now()) > 0

    def _conclude(self, mailings: Collection[int]) -> None:
        if not mailings:
            return
        with db.reading(self._engine) as session:
            over = ledger.over_with(session.connection(), mailings)
        for mailing, state in over:
            with db.writing_beside(self._engine) as session:
                ledger.conclude(session.connection(), mailing, state, now=self._now())


def _tell(entries: Sequence[Entry]) -> None:
    """Log what became of each delivery by its id; what was simply sent only for whoever looks closely."""
    logger = log.bind()  # once: to ask the proxy for each line takes longer than the line
    in_full = logger.is_enabled_for(logging.DEBUG)
    for lease, line in entries:
        verdict = line.verdict
        if not in_full and verdict.state is DeliveryState.SENT:
            continue
        write = logger.debug if verdict.state is DeliveryState.SENT else logger.info
        write(
            "outbox.delivery",
            delivery=line.delivery,
            mailing=lease.mailing,
            state=verdict.state.value,
            provider=line.provider,
            code=verdict.code,
            attempts=verdict.attempts,
        )
