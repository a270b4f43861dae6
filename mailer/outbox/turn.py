"""One provider's turn at the desk: tried first if it has rested, given no more than its pace allows, and relieved."""

import asyncio
import time
from datetime import timedelta
from functools import partial

import structlog

from mailer.errors import ProviderDown
from mailer.message.masking import mask_addresses
from mailer.outbox import breaker
from mailer.outbox.carriers import Carrier
from mailer.outbox.desk import Desk
from mailer.outbox.gate import Gate
from mailer.outbox.lines import InThread
from mailer.outbox.pacing import Shut
from mailer.outbox.ration import Ration
from mailer.sentences import N_

SILENT = N_("It took a letter and did not answer.")
LOOK = 0.5  # seconds between looks at the desk while a letter waits for its moment

log = structlog.get_logger()


class Turn:
    def __init__(self, carrier: Carrier, desk: Desk, gate: Gate, in_thread: InThread) -> None:
        self._carrier = carrier
        self._desk = desk
        self._gate = gate
        self._in_thread = in_thread
        self._passed_over = False
        self._told = False  # another worker found that it is down, and has said so
        self._on_trial = gate.needs_trial(carrier)
        self._takes = timedelta()  # a draw

    @property
    def provider(self) -> str:
        return self._carrier.name

    async def carry(self) -> bool:
        """Return whether the next provider must take over; what is left on the desk is untouched."""
        self._desk.turn_to(self._carrier.name, bearable=1 if self._on_trial else breaker.IN_A_ROW)
        try:
            if not self._on_trial or await self._try_out():
                while await self._has_leave():
                    await self._carrier.provider.carry(self._desk)
        except ProviderDown as down:
            self._desk.down = down
        finally:
            await self._in_thread(partial(self._gate.give_back, self._carrier))
        if self._desk.down is not None and not self._told:
            await self._lie_down(self._desk.down)
        return self._passed_over or self._desk.down is not None

    def heed(self) -> None:
        """Stop when another worker has found meanwhile that the provider is down, or must have connections of ours."""
        if self._desk.down is None and not self._on_trial and self._gate.rests(self._carrier):
            self._told = True
            self._desk.down = self._gate.why(self._carrier)
        if not self._on_trial and self._gate.lines.amiss(self._carrier.name):
            self._desk.ration = Ration(0, begins=0.0)  # a recess: who carries comes home, and goes again with its part

    async def _try_out(self) -> bool:
        """Send one letter through a provider that has rested; return whether it took it.

        raises  ProviderDown when it is no better
        """
        if not await self._in_thread(partial(self._gate.claim_trial, self._carrier)):
            self._passed_over = True
            return False
        if await self._has_leave(at_most=1):
            await self._carrier.provider.carry(self._desk)
        if self._desk.works:
            await self._stand_up()
            return True
        if self._desk.ration is not None and self._desk.ration.spent:
            self._desk.down = self._desk.down or ProviderDown(SILENT)
        elif self._desk.down is None:
            self._passed_over = True
            await self._in_thread(partial(self._gate.put_off_trial, self._carrier))
        return False

    async def _stand_up(self) -> None:
        await self._in_thread(partial(self._gate.stand_up, self._carrier))
        self._on_trial = False
        self._desk.turn_to(self._carrier.name, bearable=breaker.IN_A_ROW)
        log.info("outbox.provider_up", provider=self._carrier.name)

    async def _lie_down(self, down: ProviderDown) -> None:
        rest = await self._in_thread(partial(self._gate.lie_down, self._carrier, down))
        log.warning(
            "outbox.provider_down",
            provider=self._carrier.name,
            reason=mask_addresses(down.detail),
            rest=rest.length.total_seconds(),
        )

    async def _has_leave(self, at_most: int | None = None) -> bool:
        """Wait until a letter may go; False when there is none, or none may go soon."""
        if not await self._has_lines():
            return False
        if not self._carrier.pace.limited:
            self._desk.ration = None if at_most is None else Ration(at_most, begins=0.0)
            return self._desk.offers
        while self._desk.stays_open:
            wait = await self._until_next(at_most)
            if wait == 0.0:
                return self._desk.offers
            if self._passed_over:
                return False
            await asyncio.sleep(min(wait, LOOK))
            if not await self._has_lines():
                return False
        return False

    async def _has_lines(self) -> bool:
        """Have as many connections as we are to have; False when the others have all."""
        lines, name = self._gate.lines, self._carrier.name
        await lines.settle(name, self._in_thread)
        return not lines.none_to(name)

    async def _until_next(self, at_most: int | None) -> float:
        """Return the seconds until a letter may go, drawing a new ration when the last is used up."""
        ration, urgent = self._desk.ration, self._desk.urgent
        if ration is None or ration.urgent != urgent or ration.exhausted:
            drawn = await self._draw(at_most or self._desk.wanted, urgent=urgent)
            if isinstance(drawn, Shut):
                self._desk.ration = Ration(0, begins=0.0, urgent=urgent)
                self._passed_over = self._gate.is_shut(self._carrier, urgent=urgent)
                return max(0.001, (drawn.until - self._gate.now()).total_seconds())
            self._desk.ration = ration = drawn
        return ration.waits()

    async def _draw(self, wanted: int, *, urgent: bool) -> Ration | Shut:
        """Draw, beginning no sooner than the answer is here: it took as long the last time."""
        asked = time.monotonic()
        drawn: Ration | Shut = await self._in_thread(
            partial(self._gate.draw, self._carrier, wanted=wanted, lead=self._takes, urgent=urgent)
        )
        self._takes = timedelta(seconds=time.monotonic() - asked)
        return drawn
