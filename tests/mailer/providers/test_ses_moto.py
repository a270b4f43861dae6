"""SES against an implementation that is not ours: moto's server."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sesv2.models import sesv2_backends

from mailer.message import Message
from mailer.providers import Outgoing, open_provider
from mailer.providers.aws import Credentials, signed
from tests.mailer.providers.desks import RecordingDesk
from tests.mailer.providers.test_apis import CONTENT


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def as_a_user(url: str, path: str, body: bytes) -> httpx.Response:
    credentials = Credentials("AKIDEXAMPLE", "k", "", "eu-north-1")
    headers = signed(credentials, "ses", url + path, body, now=datetime.now(UTC))
    return httpx.post(url + path, content=body, headers={**headers, "Content-Type": "application/json"})


def carry(url: str, desk: RecordingDesk, data: Path) -> None:
    settings = {"key_id": "AKIDEXAMPLE", "key": "k", "base_url": url}

    async def run() -> None:
        provider = open_provider("ses", settings, data=data)
        await provider.carry(desk)
        await provider.close()

    asyncio.run(run())


def a_letter(ticket: int) -> Outgoing:
    return Outgoing(ticket, f"k{ticket}", Message("brev@nyhet.example.org", f"m{ticket}@example.net", CONTENT))


def test_moto_refuses_a_sender_that_nobody_proved(moto: str, tmp_path: Path) -> None:
    desk = RecordingDesk(a_letter(1))

    carry(moto, desk, tmp_path)

    assert desk.kinds() == ["MessageRefused"]


def test_moto_takes_our_mail_as_it_is(moto: str, tmp_path: Path) -> None:
    identity = b'{"EmailIdentity": "brev@nyhet.example.org"}'
    as_a_user(moto, "/v2/email/identities", identity).raise_for_status()
    desk = RecordingDesk(a_letter(1), a_letter(2))

    carry(moto, desk, tmp_path)

    assert desk.kinds() == ["Receipt", "Receipt"]
    sent = sesv2_backends[DEFAULT_ACCOUNT_ID]["eu-north-1"].core_backend.sent_messages
    assert {message.raw_data for message in sent[-2:]} == {CONTENT.decode()}
    assert {"m1@example.net", "m2@example.net"} <= {
        address for message in sent[-2:] for address in message.destinations
    }
