"""Takes mail from a mail server on this machine, by LMTP or SMTP: one recipient at a time, and every answer is true.

250  what it asks for is on disk, or whoever reads our mail has it
4xx  not now: the server keeps it and tries again
5xx  not ours, or nobody would read it: the server tells its sender
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Visit
from sqlmodel import Session

from mailer.clock import Clock
from mailer.config.feedback import Receive
from mailer.errors import Mistake
from mailer.feedback import intake
from mailer.feedback.forwarding import is_going_round
from mailer.feedback.sorting import What, sort
from mailer.links import Tokens

LONGEST_MAIL = 25 * 1024 * 1024
MOST_VISITS = 20  # connections at once, as many as Postfix opens to one destination; each may hold a mail in memory
_LANES = 4  # mails that are worked on at once
_ALWAYS = ("postmaster", "abuse")  # RFC 5321 §4.5.1, RFC 2142
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Which addresses are ours: letters' own at the bounce domain, and those that the config names."""

    bounce_domain: str
    named: frozenset[str]
    tokens: Tokens

    @classmethod
    def of(cls, bounce_domain: str, named: Iterable[str], tokens: Tokens) -> "Addresses":
        always = [f"{name}@{bounce_domain}" for name in _ALWAYS if bounce_domain]
        return cls(bounce_domain, frozenset(each.lower() for each in (*named, *always) if each), tokens)

    def have(self, address: str) -> bool:
        """Whether mail to `address` is for us; what follows a + in a named address is not looked at."""
        local, _, domain = address.rpartition("@")
        if domain.lower() == self.bounce_domain and self.tokens.read_return(local) is not None:
            return True
        return f"{local.partition('+')[0]}@{domain}".lower() in self.named


@dataclass(frozen=True, slots=True)
class Reception:
    """What taking mail needs.

    forward  hands a person's mail on, and raises when it may not have arrived; None: nobody reads it
    """

    addresses: Addresses
    writing: Callable[[], AbstractContextManager[Session]]
    forward: Callable[[bytes, datetime], None] | None
    now: Clock


class Receiver:
    """Handler for aiosmtpd."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._lanes = asyncio.Semaphore(_LANES)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _visit: Visit, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if not self._reception.addresses.have(address):
            return "550 5.1.1 No such address here"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _visit: Visit, envelope: Envelope) -> str:  # noqa: N802  as above
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 Not bytes"
        # As a delivery agent writes it: where it came from and where it was sent to (RFC 5321 §4.4).
        head = f"Return-Path: <{envelope.mail_from or ''}>\r\nDelivered-To: {envelope.rcpt_tos[0]}\r\n"
        async with self._lanes:
            return await asyncio.to_thread(take, self._reception, head.encode("utf-8", "replace") + content)

    async def rest(self) -> None:
        """Return when every mail that was being worked on is answered."""
        for _ in range(_LANES):
            await self._lanes.acquire()


def take(reception: Reception, octets: bytes) -> str:
    """Do what a mail asks for and return the answer to its server. Never raises: what went wrong may pass."""
    try:
        return _take(reception, octets)
    except Exception as error:  # noqa: BLE001  whatever it is, the mail must stay where it is
        log.warning("mail could not be taken", reason=type(error).__name__)
        return "451 4.3.0 Not now"


def _take(reception: Reception, octets: bytes) -> str:
    now = reception.now()
    mail = sort(octets, reception.addresses.tokens)
    with reception.writing() as session:
        what = intake.take(session, mail, at=now, now=now)
    if what is not What.PERSON:
        return f"250 2.0.0 Taken: {what}"
    if is_going_round(octets):
        return "554 5.4.6 It was here before"
    if reception.forward is None:
        return "550 5.7.1 Nobody reads this address"
    reception.forward(octets, now)
    return "250 2.0.0 Forwarded"


class _Smtp(SMTP):
    line_length_limit = LONGEST_MAIL  # what others sent with long lines is no fault of the server that brings it
    gone: Callable[[], None]

    def connection_lost(self, error: Exception | None) -> None:
        self.gone()
        super().connection_lost(error)


class _Lmtp(_Smtp, LMTP):
    pass


class _Full(asyncio.Protocol):
    """Sends away who comes while too many are here: a mail server keeps its mail and tries again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many at once\r\n")
        transport.close()


def _usher(make: Callable[[], _Smtp]) -> Callable[[], asyncio.Protocol]:
    inside: set[_Smtp] = set()

    def let_in() -> asyncio.Protocol:
        if len(inside) >= MOST_VISITS:
            return _Full()
        visit = make()
        visit.gone = partial(inside.discard, visit)
        inside.add(visit)
        return visit

    return let_in


_OPTIONS: dict[str, Any] = {
    "data_size_limit": LONGEST_MAIL,
    "enable_SMTPUTF8": True,
    "hostname": "utskick",
    "ident": "ready",
    "timeout": 120,  # seconds without a command
}


@contextlib.asynccontextmanager
async def open_door(receiver: Receiver, settings: Receive) -> AsyncIterator[int]:
    """Take mail while the block runs; then answer what was begun. Yields the port.

    raises  Mistake when the port cannot be had
    """
    logging.getLogger("mail.log").disabled = True  # aiosmtpd writes addresses there, and no log of ours may hold one
    door = _Lmtp if settings.protocol == "lmtp" else _Smtp
    try:
        server = await asyncio.get_running_loop().create_server(
            _usher(partial(door, receiver, **_OPTIONS)), settings.host, settings.port
        )
    except OSError as error:
        raise Mistake(
            "Port {port} of {host} cannot be opened ({reason}): choose another in [feedback.receive].",
            port=settings.port,
            host=settings.host,
            reason=error.strerror or type(error).__name__,
        ) from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await receiver.rest()
