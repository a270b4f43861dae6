"""The outbox and the smtp provider together, against a real server on loopback."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.config import Settings
from mailer.config.feedback import Feedback
from mailer.links import Claim, Purpose
from mailer.outbox.models import DeliveryState, MailingState
from mailer.outbox.running import drain
from mailer.providers import open_provider
from tests.builders import a_member
from tests.mailer.outbox.posting import LINKS, SETTINGS, Clock, a_mailing, an_office, deliveries, states, the_mailing

REFUSED, BUSY = "m7@example.org", "m9@example.org"


class Server:
    """Takes mail; refuses one address for good, and another for now."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.senders: dict[str, list[str | None]] = {}  # of each attempt
        self.busy = {BUSY}

    async def handle_RCPT(  # noqa: N802  aiosmtpd's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.senders.setdefault(address, []).append(envelope.mail_from)
        if address == REFUSED:
            return f"550 5.1.1 <{address}>: no such user"
        if address in self.busy:
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        [address] = envelope.rcpt_tos
        assert isinstance(envelope.content, bytes)
        self.accepted[address] += 1
        self.bodies[address] = envelope.content
        return "250 2.0.0 OK"


def deliver(
    engine: sa.Engine, folder: Path, server: Server, clock: Clock, settings: Settings = SETTINGS, **options: bool
) -> None:
    """Send what is due to a real server on loopback."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        controller = UnthreadedController(server, hostname="127.0.0.1", port=0, loop=loop, **options)
        listening = await controller._create_server()
        port = listening.sockets[0].getsockname()[1]
        table = {"host": "127.0.0.1", "port": port, "security": "none", "connections": 4}
        provider = open_provider("smtp", table, data=folder)
        await drain(an_office(engine, folder / "journal", smtp=provider, now=clock, settings=settings))
        listening.close()
        await listening.wait_closed()

    asyncio.run(work())


def test_a_mailing_goes_out_over_smtp_and_every_recipient_is_accounted_for(engine: sa.Engine, tmp_path: Path):
    a_mailing(engine, 60, batch=20)
    server, clock = Server(), Clock()

    deliver(engine, tmp_path, server, clock)

    everyone = {f"m{n}@example.org" for n in range(1, 61)}
    assert server.accepted == Counter(everyone - {REFUSED, BUSY})
    assert all(b"Subject: Veckan: Ny park" in body for body in server.bodies.values())
    found = states(engine)
    assert Counter(found.values()) == {DeliveryState.SENT: 58, DeliveryState.FAILED: 1, DeliveryState.QUEUED: 1}
    refused, busy = deliveries(engine)[7], deliveries(engine)[9]
    assert refused.state is DeliveryState.FAILED
    assert "m7" not in (refused.answer or "")
    assert busy.due_at is not None
    assert (busy.due_at - clock()).total_seconds() >= 300
    assert the_mailing(engine).state is MailingState.PLANNED


def test_every_letter_has_an_envelope_sender_of_its_own_and_keeps_it_in_every_attempt(
    engine: sa.Engine, tmp_path: Path
):
    mailing = a_mailing(engine, 10)
    server, clock = Server(), Clock()
    settings = SETTINGS.model_copy(update={"feedback": Feedback(bounce_domain="studs.example.org")})

    deliver(engine, tmp_path, server, clock, settings)
    server.busy.clear()
    clock.forward(timedelta(hours=1))
    deliver(engine, tmp_path, server, clock, settings)

    busy = server.senders[BUSY]
    assert (len(busy), len(set(busy)), server.accepted[BUSY]) == (2, 1, 1)
    told = {address: senders[0] or "" for address, senders in server.senders.items()}
    assert all(sender.endswith("@studs.example.org") for sender in told.values())
    claims = {address: LINKS.tokens.read_return(sender.partition("@")[0]) for address, sender in told.items()}
    assert claims == {f"m{n}@example.org": Claim(Purpose.MESSAGE, n, mailing) for n in range(1, 11)}


@pytest.mark.parametrize("carried", [True, False])
def test_an_address_beyond_ascii_is_written_to_where_the_server_carries_it_else_fails_with_the_reason(
    engine: sa.Engine,
    tmp_path: Path,
    carried: bool,  # noqa: FBT001  # a row of the table
):
    a_mailing(engine, [a_member("åsa@malmö.se", given_name="Åsa"), a_member("bo@example.org")])
    server = Server()

    deliver(engine, tmp_path, server, Clock(), enable_SMTPUTF8=carried)

    assert server.accepted["bo@example.org"] == 1
    hers = deliveries(engine)[1]
    if carried:
        assert hers.state is DeliveryState.SENT
        assert "\r\n <åsa@xn--malm-8qa.se>\r\n".encode() in server.bodies["åsa@xn--malm-8qa.se"]
    else:
        assert hers.state is DeliveryState.FAILED
        assert hers.code == "5.6.7"
        assert "outside ASCII" in (hers.answer or "")
        assert server.accepted.total() == 1
