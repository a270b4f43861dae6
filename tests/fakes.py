"""Fakes at the wire."""

import asyncio
from collections.abc import Callable, Sequence

from mailer.errors import ProviderDown, SendError
from mailer.message import Message
from mailer.providers import Desk, Outcome, Outgoing, Receipt

Script = Callable[[Message], Outcome]


def accept(_: Message) -> Outcome:
    return Receipt("250 2.0.0 Ok")


class FakeProvider:
    """Takes everything, or does what `script` says of a message; a SendError in `down` is raised before anything.

    `between` is called after each message that was accepted.
    """

    def __init__(self, script: Script = accept, *, between: Callable[[], object] = lambda: None) -> None:
        self.script = script
        self.between = between
        self.down: ProviderDown | None = None
        self.accepted: list[Message] = []
        self.withdrawn: list[Message] = []
        self.closed = False

    @property
    def addresses(self) -> Sequence[str]:
        return [message.recipient for message in self.accepted]

    async def carry(self, desk: Desk) -> None:
        if self.down is not None:
            raise self.down
        while (outgoing := desk.take()) is not None:
            await asyncio.sleep(0)
            self._send(desk, outgoing)

    def _send(self, desk: Desk, outgoing: Outgoing) -> None:
        if not desk.start([outgoing]):
            self.withdrawn.append(outgoing.message)
            desk.give_back(outgoing)
            return
        outcome = self.script(outgoing.message)
        if not isinstance(outcome, SendError):
            self.accepted.append(outgoing.message)
        desk.settle(outgoing, outcome)
        self.between()

    async def close(self) -> None:
        self.closed = True
