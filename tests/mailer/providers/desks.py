"""A desk that remembers everything it was told, and servers that misbehave by script."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from mailer.message import Message
from mailer.providers import Outcome, Outgoing, Receipt
from tests.waiting import PATIENCE

CONTENT = b"From: brev@example.org\r\nSubject: Hej\r\n\r\nEtt brev.\r\n"


def an_outgoing(ticket: int, recipient: str = "", content: bytes = CONTENT) -> Outgoing:
    message = Message(f"b-{ticket}@studs.example.org", recipient or f"m{ticket}@example.net", content)
    return Outgoing(ticket, f"weekly+{ticket}", message)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another part of the same loop, or a server on a real socket, brings about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  nobody could set an event: the condition is outside our code
            await asyncio.sleep(0.01)


class RecordingDesk:
    """Hands out letters, and fails the test at once when the seam's contract is broken."""

    def __init__(self, *letters: Outgoing, allow: Callable[[Outgoing], bool] = lambda _: True) -> None:
        self.waiting = list(letters)
        self.out: dict[int, str] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.given_back: Counter[int] = Counter()
        self._allow = allow

    def take(self) -> Outgoing | None:
        if not self.waiting:
            return None
        outgoing = self.waiting.pop(0)
        assert outgoing.ticket not in self.out
        assert outgoing.ticket not in self.outcomes
        self.out[outgoing.ticket] = "taken"
        return outgoing

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        assert all(self.out[outgoing.ticket] == "taken" for outgoing in outgoings)
        allowed = [outgoing for outgoing in outgoings if self._allow(outgoing)]
        self.out |= {outgoing.ticket: "started" if outgoing in allowed else "withdrawn" for outgoing in outgoings}
        return allowed

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        stage = self.out.pop(outgoing.ticket)
        assert stage == "started" or not isinstance(outcome, Receipt)
        self.outcomes[outgoing.ticket] = outcome

    def give_back(self, outgoing: Outgoing) -> None:
        stage = self.out.pop(outgoing.ticket)
        assert stage in ("taken", "withdrawn")
        self.given_back[outgoing.ticket] += 1
        if stage == "taken":
            self.waiting.append(outgoing)

    def kinds(self) -> list[str]:
        assert not self.out  # everything taken was settled or given back
        return [type(self.outcomes[ticket]).__name__ for ticket in sorted(self.outcomes)]


class DropError(Exception):
    """The script says: the connection ends here."""


DROP = b"<drop>"
SILENCE = b"<silence>"
DROP_IN_BODY = b"<drop in body>"
DROP_BEFORE_DOT_REPLY = b"<drop after the dot>"
Script = Mapping[str, Sequence[bytes | None]]
_USUAL = {
    "GREET": b"220 test ESMTP",
    "MAIL": b"250 2.1.0 Ok",
    "RCPT": b"250 2.1.5 Ok",
    "DATA": b"354 go ahead",
    "BODY": b"250 2.0.0 queued",
    "RSET": b"250 2.0.0 Ok",
    "STARTTLS": b"220 go",
    "QUIT": b"221 bye",
}


class ScriptedServer:
    """A mail server on loopback. `script` says per verb what its first, second, ... answer is; None is the usual."""

    def __init__(self, script: Script | None = None, *, offers: Sequence[str] = ("PIPELINING",)) -> None:
        self.script = {verb: list(answers) for verb, answers in (script or {}).items()}
        self.offers = offers
        self.accepted: list[tuple[str, bytes]] = []
        self.lines: list[str] = []
        self.connections = 0
        self.most_at_once = 0
        self.open = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def empty(self) -> list[str]:
        return [recipient for recipient, content in self.accepted if not content.strip()]

    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.accepted)

    def _answer(self, verb: str) -> bytes:
        answers = self.script.get(verb)
        usual = self._ehlo() if verb == "EHLO" else _USUAL.get(verb, b"502 what?")
        return (answers.pop(0) if answers else None) or usual

    def _ehlo(self) -> bytes:
        texts = ["test", *self.offers]
        return "\r\n".join(f"250{' ' if text is texts[-1] else '-'}{text}" for text in texts).encode()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            await self._say(reader, writer, self._answer("GREET"))
            await self._converse(reader, writer)
        except (DropError, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self.open -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        while line := (await reader.readline()).decode():
            self.lines.append(line.rstrip("\r\n"))
            verb = (line.split() or [""])[0].upper()
            answer = self._answer(verb)
            await self._say(reader, writer, answer)
            if verb == "MAIL":
                recipient = ""
            if verb == "RCPT" and answer.startswith(b"2"):
                recipient = re.findall(r"<(.*)>", line)[0]
            if verb == "DATA" and answer.startswith(b"354"):
                await self._body(reader, writer, recipient)
            if verb == "QUIT" or answer.startswith(b"421"):
                return

    async def _body(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipient: str) -> None:
        answer = self._answer("BODY")
        if answer == DROP_IN_BODY:
            await reader.readexactly(10)
            raise DropError
        content = b""
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return  # the client left without the dot: this is no mail
            content += line
        if not recipient:
            answer = b"554 5.5.1 no valid recipients"
        elif answer.startswith(b"2") or answer == DROP_BEFORE_DOT_REPLY:
            self.accepted.append((recipient, content))
        if answer == DROP_BEFORE_DOT_REPLY:
            raise DropError
        await self._say(reader, writer, answer)
        if answer.startswith(b"421"):
            raise DropError

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        if answer == SILENCE:
            while await reader.read(4096):
                pass
        if answer in (DROP, SILENCE):
            raise DropError
        writer.write(answer + b"\r\n")
        await writer.drain()
