"""A mail server that writes down what it accepts before it says so, and misbehaves on purpose.

It runs in a process of its own, which may be killed and started again on the same port. In its folder:

accepted    a line "mailing TAB recipient TAB shape" per mail, written before the answer
unanswered  a line per mail whose body was begun and which got no answer that is one
temper      how likely it is to misbehave at each step, from 0 to 1; read at each new connection
port        where it listens
"""

import asyncio
import os
import random
import re
from enum import Enum
from pathlib import Path

import uvloop

from tests.chaos.ledger import WHOLE

DELAY = 0.004  # seconds before a body is answered: whoever is killed meanwhile does not hear the answer
_TOLD = re.compile(rb"^Feedback-ID: (\d+):", re.MULTILINE)


class Misdeed(Enum):
    """What is no answer."""

    DROP = "close the connection"
    SILENCE = "say nothing at all"
    GARBAGE = "say what is no reply"
    DROP_IN_BODY = "close in the middle of the body"
    DROP_BEFORE_DOT = "close before the final dot is read"
    DROP_AFTER_DOT = "close after the final dot, and keep nothing"
    KEEP_AND_DROP = "keep the mail and close unanswered"
    KEEP_AND_SILENCE = "keep the mail and say nothing"
    KEEP_AND_GARBAGE = "keep the mail and say what is no reply"


D = Misdeed
_ANYWHERE = (D.DROP, D.SILENCE, D.GARBAGE, b"421 4.3.2 shutting down", b"451 4.3.0 try later", b"550 5.0.0 no")
MISDEEDS: dict[str, tuple[bytes | Misdeed, ...]] = {
    "GREET": (D.DROP, D.SILENCE, D.GARBAGE, b"421 4.3.2 busy", b"554 5.3.2 closed"),
    "EHLO": _ANYWHERE,
    "MAIL": _ANYWHERE,
    "RCPT": (*_ANYWHERE, b"450 4.7.1 greylisted", b"550 5.1.1 no such user", b"452 4.5.3 too many"),
    "DATA": (*_ANYWHERE, b"554 5.5.1 no valid recipients", b"250 what?"),
    "BODY": (
        *(misdeed for misdeed in D if misdeed is not D.DROP),
        b"421 4.3.2 shutting down",
        b"451 4.3.0 try later",
        b"452 4.3.1 disk full",
        b"550 5.1.1 no such user",
        b"554 5.7.1 spam",
    ),
    "RSET": _ANYWHERE,
}
_USUAL = {
    "GREET": b"220 sink ESMTP",
    "MAIL": b"250 2.1.0 Ok",
    "RCPT": b"250 2.1.5 Ok",
    "DATA": b"354 go ahead",
    "BODY": b"250 2.0.0 queued",
    "RSET": b"250 2.0.0 Ok",
    "QUIT": b"221 bye",
}
_KEEPS = {D.KEEP_AND_DROP: D.DROP, D.KEEP_AND_SILENCE: D.SILENCE, D.KEEP_AND_GARBAGE: D.GARBAGE}


class GoneError(Exception):
    """The connection ends here."""


class Logs:
    """What the sink leaves: each line is written whole and at once."""

    def __init__(self, folder: Path) -> None:
        self._accepted, self._unanswered = (
            os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("accepted", "unanswered")
        )

    def accept(self, recipient: str, content: bytes) -> None:
        told = _TOLD.search(content)
        mailing = told[1].decode() if told else "0"
        os.write(self._accepted, f"{mailing}\t{recipient}\t{_shape(recipient, content)}\n".encode())

    def leave_unanswered(self, recipient: str) -> None:
        os.write(self._unanswered, f"{recipient}\n".encode())


def _shape(recipient: str, content: bytes) -> str:
    head, _, body = content.partition(b"\r\n\r\n")
    if not body.strip():
        return "empty"
    if recipient.encode() not in head:
        return "as another's"
    return WHOLE if body.endswith(b"\r\n") else "cut off"


class Conversation:
    """One connection, from the greeting to its end."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, logs: Logs, temper: "Temper"
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._logs = logs
        self._temper = temper

    async def hold(self) -> None:
        recipient = ""
        await self._say(self._temper.answer("GREET"))
        while line := (await self._reader.readline()).decode("ascii", "replace"):
            verb = line[:4].upper()
            answer = self._temper.answer(verb)
            await self._say(answer)
            accepted = isinstance(answer, bytes) and answer[:1] in b"23"
            if verb == "MAIL":
                recipient = ""
            elif verb == "RCPT" and accepted:
                recipient = line[line.index("<") + 1 : line.index(">")]
            elif verb == "DATA" and accepted and answer != b"250 what?":
                await self._take_body(recipient)
            elif verb == "QUIT":
                return

    async def _take_body(self, recipient: str) -> None:
        answer = self._temper.answer("BODY") if recipient else b"554 5.5.1 no valid recipients"
        answered = False
        try:
            if answer is D.DROP_IN_BODY:
                await self._reader.read(200)
                raise GoneError
            content = await self._read_body(stop_before_dot=answer is D.DROP_BEFORE_DOT)
            if answer is D.DROP_AFTER_DOT:
                raise GoneError
            await asyncio.sleep(DELAY)
            if answer in _KEEPS or (isinstance(answer, bytes) and answer.startswith(b"2")):
                self._logs.accept(recipient, content)
            answered = isinstance(answer, bytes)
            await self._say(_KEEPS.get(answer, answer) if isinstance(answer, Misdeed) else answer)
        finally:
            if not answered:
                self._logs.leave_unanswered(recipient)

    async def _read_body(self, *, stop_before_dot: bool) -> bytes:
        lines: list[bytes] = []
        while (line := await self._reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise GoneError  # the client left without the dot: this is no mail
            lines.append(line)
        if stop_before_dot:
            raise GoneError
        return b"".join(lines)

    async def _say(self, answer: bytes | Misdeed) -> None:
        if answer is D.SILENCE:
            while await self._reader.read(4096):
                pass
        if isinstance(answer, Misdeed) and answer is not D.GARBAGE:
            raise GoneError
        self._writer.write((b"\x00 what? \xff" if answer is D.GARBAGE else answer) + b"\r\n")
        await self._writer.drain()
        if isinstance(answer, bytes) and answer.startswith(b"421"):
            raise GoneError


class Temper:
    """Draws each answer of one connection."""

    def __init__(self, chance: random.Random, *, wickedness: float) -> None:
        self._chance = chance
        self._wickedness = wickedness
        self._pipelining = chance.random() < 0.7

    def answer(self, step: str) -> bytes | Misdeed:
        if step in MISDEEDS and self._chance.random() < self._wickedness:
            return self._chance.choice(MISDEEDS[step])
        if step == "EHLO":
            return b"250-sink\r\n250 PIPELINING" if self._pipelining else b"250 sink"
        return _USUAL.get(step, b"502 5.5.1 what?")


async def _serve(folder: Path, seed: str) -> None:
    logs, numbers = Logs(folder), iter(range(1 << 30))

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wickedness = float((folder / "temper").read_text() or "0")
        temper = Temper(random.Random(f"{seed}:{next(numbers)}"), wickedness=wickedness)  # noqa: S311  replayable
        try:
            await Conversation(reader, writer, logs, temper).hold()
            writer.close()
        except (GoneError, ConnectionError):
            writer.transport.abort()

    place = folder / "port"
    port = int(place.read_text()) if place.exists() else 0
    server = await asyncio.start_server(client, "127.0.0.1", port, backlog=200)
    if not port:
        beginning = folder / "port.new"
        beginning.write_text(str(server.sockets[0].getsockname()[1]))
        beginning.rename(place)
    await server.serve_forever()


def serve(folder: Path, seed: str) -> None:
    """Run until killed. The same seed draws the same misdeeds for the same connections."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(folder, seed))
