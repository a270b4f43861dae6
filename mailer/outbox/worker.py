"""A delivery worker: lease a batch, lay it on the desk, let a provider carry it, write the books, and again.

Two threads: the event loop composes and sends, a second one talks to the database, so that a message never waits
for a commit. Any number of workers may run, in any number of processes; the batches decide who sends what.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import structlog

from mailer.errors import Trouble
from mailer.outbox.ahead import compose_ahead
from mailer.outbox.clerk import Clerk
from mailer.outbox.desk import Desk
from mailer.outbox.gate import Gate
from mailer.outbox.journal import Journal, this_boot
from mailer.outbox.lines import Lines
from mailer.outbox.models import Lane
from mailer.outbox.office import Office
from mailer.outbox.pauses import Pauses
from mailer.outbox.permission import Permission
from mailer.outbox.turn import Turn
from mailer.outbox.waiting import wait, wait_for_any

GROUP = 500  # outcomes in one transaction
EVERY = 1.0  # seconds, after which fewer are written too
LOW = 1000  # letters on the desk, below which the next batch is fetched: one is sent while another comes
TICK = 0.02  # seconds
IDLE = 1.0  # seconds between looks for work
SOON = 0.1  # seconds between looks for connections that others are to leave us
SEEN_EVERY = 15.0  # seconds

Result = TypeVar("Result")
log = structlog.get_logger()


class Worker:
    """One worker's life, from its own journal's beginning to its end."""

    def __init__(
        self, office: Office, stop: asyncio.Event, wake: asyncio.Event | None = None, pauses: Pauses | None = None
    ) -> None:
        self._office = office
        self._stop = stop
        self._wake = wake or asyncio.Event()
        self._pauses = pauses or Pauses()  # of all lives of one process: a trouble may outlast some
        self._boot_id = this_boot()
        self._recovered = float("-inf")
        self._written = 0.0
        self._seen = float("-inf")  # when we last said that we are here
        self._looked = float("-inf")  # when we last looked whether somebody waits
        self._dry = float("-inf")  # when there was last nothing to lease
        self._carried = True
        self._turn: Turn | None = None
        self._books_failed = False
        self._resources: AsyncExitStack

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:  # a database that is away leaves nothing behind
            self._begin(resources)
            self._resources = resources.pop_all()
        return self

    def _begin(self, resources: AsyncExitStack) -> None:
        office = self._office
        self._thread = resources.enter_context(ThreadPoolExecutor(1, "outbox-books"))
        after_pass = asyncio.get_running_loop().call_soon
        self._journal = Journal(office.journals, boot_id=self._boot_id, after_pass=after_pass)
        resources.callback(self._journal.close)
        permission = resources.enter_context(Permission(office.engine, office.now, after_pass=after_pass))
        self._clerk = Clerk(
            office.engine,
            self._journal,
            terms=office.terms,
            give_up_after=office.give_up_after,
            send_within=office.send_within,
            now=office.now,
        )
        lines = Lines(office.engine, office.carriers, worker=self._journal.owner, terms=office.terms, now=office.now)
        self._gate = Gate(office.engine, office.carriers, lines=lines, now=office.now, zone=office.zone)
        self._desk = Desk(
            journal=self._journal,
            composer=office.composer,
            permission=permission,
            terms=office.terms,
            now=office.now,
            stopping=lambda: self._stop.is_set() or self._books_failed,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._gate.lines.close()
            if kind is None:
                await self._in_thread(self._clerk.leave)
        finally:
            await self._resources.aclose()

    async def work(self) -> bool:
        """Go round until told to stop, or until the database or the disk failed: then nothing heard is lost.

        returns  False when something failed: what was in doubt then is left to an heir
        """
        try:
            while not self._stop.is_set():
                self._wake.clear()
                sent = await self.round()
                self._pauses.all_is_well()
                if not sent:
                    within = SOON if self._gate.lines.awaited else IDLE
                    await wait_for_any(self._stop, self._wake, within=within)
        except (Trouble, OSError) as trouble:
            tell(trouble)
            await self._make_good()
            return False
        return True

    async def round(self) -> bool:
        """Send what can be sent now; False when there was nothing, or nobody to carry it."""
        if time.monotonic() - self._recovered > self._office.terms.between_looks.total_seconds():
            await self.recover()
        await self._look_around()
        if not self._gate.open_to(urgent=True) or not await self._fetch():
            return False
        await self._carry()
        await self._settle_up()
        return True

    async def recover(self) -> None:
        """Settle what dead workers left."""
        await self._in_thread(partial(self._clerk.recover, self._office.journals, boot_id=self._boot_id))
        self._recovered = time.monotonic()

    async def _fetch(self) -> bool:
        """Lay one more batch on the desk."""
        leased_at, changes = time.monotonic(), self._desk.changes_so_far()
        lane = Lane.MANY if self._gate.open_to(urgent=False) else Lane.ONE
        hand = await self._in_thread(partial(self._clerk.lease, lane))
        if hand is None:
            self._dry = time.monotonic()
            return False
        ready = await self._in_thread(partial(compose_ahead, self._office.composer, hand.occasion, hand.letters))
        self._desk.add(hand, ready, leased_at=leased_at, changes=changes)
        return True

    async def _carry(self) -> None:
        """Let the first provider that is up carry the desk, and the next ones what it leaves."""
        self._carried = False
        books = asyncio.create_task(self._keep_books())
        try:
            for carrier in self._gate.open_to(urgent=True):
                self._turn = Turn(carrier, self._desk, self._gate, self._in_thread)
                if not await self._turn.carry():
                    break
        finally:
            self._carried, self._turn = True, None
            await books

    async def _keep_books(self) -> None:
        """While messages are carried: write outcomes in groups, and keep the desk filled."""
        try:
            while not self._carried:
                await asyncio.sleep(TICK)
                stopped = self._desk.drop_stopped()  # whoever paused or cancelled a mailing waits for its batches
                if stopped or self._desk.outcomes >= GROUP or time.monotonic() - self._written >= EVERY:
                    await self._write()
                    await self._heed()
                if self._wants_more or await self._somebody_waits():
                    await self._fetch()
        except BaseException:
            self._books_failed = True  # nothing more is taken from the desk; the journal has what was not written
            raise

    async def _look_around(self) -> None:
        """Learn what other workers found out about the providers, and now and then say that we are here."""
        await self._in_thread(self._gate.look)
        await self._gate.lines.settle_all(self._in_thread, but=self._turn.provider if self._turn else "")
        if time.monotonic() - self._seen >= SEEN_EVERY:
            self._seen = time.monotonic()
            await self._in_thread(self._clerk.here)

    async def _heed(self) -> None:
        await self._look_around()
        if self._turn is not None:
            self._turn.heed()

    @property
    def _wants_more(self) -> bool:
        dry = time.monotonic() - self._dry < IDLE
        return len(self._desk) < LOW and not dry and self._may_take

    @property
    def _may_take(self) -> bool:
        """A full journal lets the desk run dry, so that it can be begun anew."""
        stopping = self._carried or self._stop.is_set() or self._desk.down is not None
        return not stopping and not self._journal.full

    async def _somebody_waits(self) -> bool:
        """Whether a letter to one is due, though the desk is full. Asked once a second."""
        if time.monotonic() - self._looked < IDLE or not self._may_take:
            return False
        self._looked = time.monotonic()
        return await self._in_thread(self._clerk.somebody_waits)

    async def _make_good(self) -> None:
        """Write what was heard as soon as the trouble is over: a full disk keeps answers out of the journal too.

        Told to stop, it tries once more and leaves the rest to its heir.
        """
        while True:
            await wait(self._stop, self._pauses.next())
            try:
                await (self._write() if self._desk.in_doubt else self._settle_up())
            except (Trouble, OSError):
                if self._stop.is_set():
                    return
            else:
                return

    async def _settle_up(self) -> None:
        """Nothing is under way: give everything back, and begin the journal anew."""
        self._desk.empty()
        await self._write()
        self._journal.clear()

    async def _write(self) -> None:
        """Write all outcomes so far; batches without a letter left are given back in the same transaction."""
        desk, leased_at = self._desk, time.monotonic()
        entries, held, finished = desk.hand_in(), desk.leases, desk.finished
        try:
            ours = await self._in_thread(partial(self._clerk.record, entries, held=held, finished=finished))
        except BaseException:
            desk.take_back(entries)
            raise
        self._written = time.monotonic()
        desk.extended([lease for lease in held if lease in ours], leased_at=leased_at)
        for lease in finished:
            desk.forget(lease)
        for mailing, reason in desk.unfit.items():
            await self._in_thread(partial(self._clerk.hold, mailing, reason))
        desk.unfit.clear()

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def tell(trouble: Exception) -> None:
    log.error("outbox.trouble", reason=str(trouble))
