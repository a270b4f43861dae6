"""What the connections of one `carry` share: the desk, the bad news, and who waits for work."""

import asyncio
from typing import Protocol

from mailer.errors import ProviderDown, TryLater
from mailer.providers import Desk, Outcome, Outgoing

LOOK_AGAIN = 1.0  # seconds: a desk filled while all busy lanes wait for slow answers is found this soon


class Bearer(Protocol):
    """A connection whose server waits for a message."""

    @property
    def ready(self) -> Outgoing | None:
        """The message, or None when the connection went meanwhile."""

    def hand_over(self, crew: "Crew", *, allowed: bool) -> None:
        """Write the message to its end, or withdraw it. May raise what the desk raises."""

    def withdraw(self) -> None:
        """Drop the connection, and with it the message."""


class Crew:
    """Up to `lanes` connections at work on `desk`."""

    def __init__(self, desk: Desk, lanes: int) -> None:
        self.desk = desk
        self.accepted = False  # the server has taken a message from us
        self.down: ProviderDown | None = None
        self.failure: Exception | None = None  # of the desk
        self._lanes = lanes
        self._connected = 0
        self._dropped: set[int] = set()
        self._waiting: list[asyncio.Future[bool]] = []
        self._bearers: list[Bearer] = []

    def take(self) -> Outgoing | None:
        """Return the desk's next message, or None: nothing now, or all must stop."""
        if self.down is not None or self.failure is not None:
            return None
        outgoing = self.desk.take()
        if outgoing is not None and self._waiting:
            self._waiting.pop().set_result(True)  # where one was, there may be more
        return outgoing

    def ask_leave(self, bearer: Bearer) -> None:
        """Let `bearer` hand over when this pass of the event loop ends.

        The outbox allows all of a pass together: its journal has their intents, and the answers that came meanwhile,
        in one write.
        """
        if not self._bearers:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._bearers.append(bearer)

    def _hand_over(self) -> None:
        bearers, self._bearers = self._bearers, []
        ready = [(bearer, outgoing) for bearer in bearers if (outgoing := bearer.ready) is not None]
        try:
            allowed = {outgoing.ticket for outgoing in self.desk.start([outgoing for _, outgoing in ready])}
            for bearer, outgoing in ready:
                bearer.hand_over(self, allowed=outgoing.ticket in allowed)
        except Exception as error:  # noqa: BLE001  the desk's (a full disk): `carry` raises it
            self.crash(error)
            for bearer, outgoing in ready:
                if bearer.ready is outgoing:
                    bearer.withdraw()

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self.desk.settle(outgoing, outcome)

    def give_back(self, outgoing: Outgoing) -> None:
        self.desk.give_back(outgoing)
        if self._waiting:
            self._waiting.pop().set_result(True)

    def dropped(self, outgoing: Outgoing, reason: str) -> None:
        """Return an envelope whose connection went; the second time put it off: it may be what they stumble over."""
        if outgoing.ticket in self._dropped:
            self.settle(outgoing, TryLater(reason))
        else:
            self._dropped.add(outgoing.ticket)
            self.give_back(outgoing)

    def stop(self, down: ProviderDown) -> None:
        """Let no lane take more; `carry` raises `down` when all are home."""
        self.down = self.down or down
        self._release()

    def crash(self, failure: Exception) -> None:
        """As `stop`, for a failure of our own side."""
        self.failure = self.failure or failure
        self._release()

    def connected(self) -> None:
        self._connected += 1

    def disconnected(self, down: ProviderDown) -> None:
        """Note that a lane gave up; when no other is connected, the provider is down."""
        if self._connected == 0:
            self.stop(down)

    def hung_up(self) -> None:
        self._connected -= 1

    async def next(self) -> Outgoing | None:
        """Wait for a message; None when every lane waits, for then the desk is dry."""
        while (outgoing := self.take()) is None:
            if not await self._wait():
                return None
        return outgoing

    def lane_ended(self) -> None:
        self._lanes -= 1
        if len(self._waiting) >= self._lanes:
            self._release()

    async def _wait(self) -> bool:
        if self.down is not None or self.failure is not None or len(self._waiting) + 1 >= self._lanes:
            self._release()
            return False
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await asyncio.wait((turn,), timeout=LOOK_AGAIN)
        if turn.done():
            return bool(turn.result())
        self._waiting.remove(turn)
        return True

    def _release(self) -> None:
        while self._waiting:
            self._waiting.pop().set_result(False)
