"""One connection as replies in and bytes out, with a watch on its silences."""

import asyncio
import math
from collections.abc import Sequence
from typing import Protocol, cast

from mailer.providers.smtp.replies import Reply, ReplyReader

GOODBYE = 5.0  # seconds for a server to close after QUIT


class Listener(Protocol):
    """Who is talking over a wire just now. Called from the event loop; no call may raise."""

    def heard(self, replies: Sequence[Reply]) -> None:
        """Take in what came in one read."""

    def lost(self, reason: str) -> None: ...


class Wire(asyncio.Protocol):
    """Splits what comes into replies for `listener`, and hangs up when an expected one stays out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        self.listener = listener
        self.closed: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self._loop = loop
        self._reader = ReplyReader()
        self._reason = ""
        self._deadline = math.inf
        self._watch: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        return self.transport is not None and not self._reason and not self.transport.is_closing()

    @property
    def hung_up(self) -> bool:
        return bool(self._reason)

    @property
    def between(self) -> bool:
        """True when no half reply is waiting for its rest."""
        return self._reader.between

    def write(self, *parts: bytes) -> None:
        """Write, in one go; what is large is not copied."""
        if self.transport is not None:
            self.transport.writelines(parts)

    def expect(self, seconds: float) -> None:
        """Hang up unless `expect` or `relax` is called again within `seconds`."""
        self._deadline = deadline = self._loop.time() + seconds
        # One timer that looks again serves thousands of answers; only a nearer deadline needs a new one.
        if self._watch is None or self._watch.when() > deadline:
            if self._watch is not None:
                self._watch.cancel()
            self._watch = self._loop.call_at(deadline, self._look)

    def relax(self) -> None:
        """Expect nothing."""
        self._deadline = math.inf

    def hang_up(self, reason: str) -> None:
        """Drop the connection at once, unsent bytes with it; `lost` follows."""
        self._reason = self._reason or reason
        if self.transport is not None:
            self.transport.abort()

    def leave(self) -> None:
        """Say goodbye and let the server close (RFC 5321 §4.1.1.10): it counts connections until it has."""
        if self.alive and self.transport is not None:
            self.transport.write(b"QUIT\r\n")
            self._reason = "we left"
            self.expect(GOODBYE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        replies = self._reader.feed(data)
        if replies and not self._reason:
            self.listener.heard(replies)
        if self._reader.garbled:
            self.hang_up(f"The server sent {self._reader.garbled}.")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._reason = self._reason or (
            "The server closed the connection." if exc is None else f"The connection broke ({exc})."
        )
        if not self.closed.done():
            self.closed.set_result(None)
        self.listener.lost(self._reason)

    def _look(self) -> None:
        self._watch = None
        if self._deadline <= self._loop.time():
            self.hang_up("The server did not answer in time.")
        elif self._deadline != math.inf:
            self._watch = self._loop.call_at(self._deadline, self._look)
