"""A worker's part of the connections to its providers: closed before it says so, opened after it was given them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from mailer import db
from mailer.outbox import shares
from mailer.outbox.batches import Terms
from mailer.outbox.carriers import Carrier
from mailer.outbox.sharing import Claim, may_have, part_of

_EVERY = 0.1  # seconds: a busy worker looks round after some hundred letters

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class Lines:
    """`worker` is the name under which the others see it."""

    def __init__(
        self,
        engine: sa.Engine,
        carriers: Sequence[Carrier],
        *,
        worker: str,
        terms: Terms,
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._terms = terms
        self._now = now
        self._counted = {carrier.name: carrier.counted for carrier in carriers if carrier.counted is not None}
        self._ours = dict.fromkeys(self._counted, 0)  # so many we may have open
        self._due = dict.fromkeys(self._counted, 0)  # so many we are to have, as of the last look
        self._amiss = dict.fromkeys(self._counted, True)  # what we have is not what we are to have
        self._in_part: dict[str, bool] = {}  # whether we have as many as the others
        self._looked = float("-inf")
        self._renewed = time.monotonic()
        self._settling = asyncio.Lock()

    def look(self) -> None:
        """Learn what we are to have, and say now and then that we are here: a transaction or two."""
        if not self._counted or time.monotonic() - self._looked < _EVERY:
            return
        self._looked = time.monotonic()
        with db.reading(self._engine) as session:
            everything = shares.read(session.connection(), terms=self._terms, now=self._now())
        for name, counted in self._counted.items():
            held, ours = everything.get(name, {}), self._ours[name]
            claim = Claim(self._worker, counted.connections)
            lost = held.get(self._worker, 0) < ours  # we were not heard of for too long
            self._due[name] = 0 if lost else may_have(claim, held)
            self._amiss[name] = self._due[name] != ours or self._worker not in held
            self._in_part[name] = self._due[name] >= part_of(claim, held)
        if time.monotonic() - self._renewed >= self._terms.between_looks.total_seconds():
            self._renewed = time.monotonic()
            with db.writing_beside(self._engine) as session:
                shares.renew(session.connection(), self._worker, terms=self._terms, now=self._now())

    def none_to(self, provider: str) -> bool:
        """Whether the others have all connections to a provider."""
        return self._ours.get(provider, 1) == 0

    def amiss(self, provider: str) -> bool:
        """Whether `settle` has something to do, for which nothing may be under way."""
        return self._amiss.get(provider, False)

    @property
    def awaited(self) -> bool:
        """Whether others are about to leave us some."""
        return not all(self._in_part.values())

    async def settle(self, provider: str, in_thread: InThread) -> None:
        """Have what we are to have. Nothing is being carried by that provider."""
        async with self._settling:
            if not self.amiss(provider):
                return
            counted, opened = self._counted[provider], min(self._due[provider], self._ours[provider])
            if opened < self._ours[provider]:
                await counted.keep_to(opened)
            self._ours[provider] = await in_thread(partial(self._take, provider, opened))
            self._amiss[provider] = False
            await counted.keep_to(self._ours[provider])

    async def settle_all(self, in_thread: InThread, *, but: str = "") -> None:
        """As `settle`, all but one with whom something is under way."""
        for provider in self._counted:
            if provider != but:
                await self.settle(provider, in_thread)

    async def close(self) -> None:
        """Close all connections."""
        for provider, counted in self._counted.items():
            self._ours[provider] = 0
            await counted.keep_to(0)

    def _take(self, provider: str, opened: int) -> int:
        claim = Claim(self._worker, self._counted[provider].connections, opened)
        with db.writing_beside(self._engine) as session:
            return shares.take(session.connection(), provider, claim, terms=self._terms, now=self._now())
