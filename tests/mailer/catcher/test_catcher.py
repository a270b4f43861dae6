"""The catcher over its real doors: SMTP in, a browser's requests out."""

import asyncio
import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from mailer.catcher import Catcher
from mailer.errors import Mistake
from mailer.providers.smtp import Settings
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import CONTENT, RecordingDesk, an_outgoing


def a_mail(subject: str = "Veckobrevet: ny skola i Årsta") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Exempelpartiet <brev@example.org>"
    mail["To"] = "anna@example.net"
    mail["Subject"] = subject
    mail.set_content("Hej!")
    return mail


def test_mail_sent_by_an_ordinary_client_is_in_the_inbox(tmp_path: Path) -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(a_mail(), to_addrs=["anna@example.net", "erik@example.net"])

    async def act() -> None:
        async with Catcher(tmp_path) as catcher, httpx.AsyncClient() as browser:
            await asyncio.to_thread(send, catcher.smtp_port)
            page = (await browser.get(catcher.web_address)).text
            assert "Veckobrevet: ny skola i Årsta" in page
            assert "anna@example.net" in page
            assert "erik@example.net" in page

    asyncio.run(act())


def test_a_burst_over_many_pipelined_connections_is_kept_whole(tmp_path: Path) -> None:
    desk = RecordingDesk(*(an_outgoing(n) for n in range(500)))

    async def act() -> int:
        async with Catcher(tmp_path) as catcher:
            provider = Smtp(Settings(host="127.0.0.1", port=catcher.smtp_port, security="none"), None)
            await provider.carry(desk)
            await provider.close()
            return catcher.inbox.page().total

    assert asyncio.run(act()) == 500
    assert desk.kinds() == ["Receipt"] * 500
    assert all(file.read_bytes().endswith(CONTENT) for file in (tmp_path / "new").iterdir())


@pytest.mark.parametrize("option", ["--smtp-port", "--web-port"])
def test_a_taken_port_is_a_mistake_that_names_the_option(option: str, tmp_path: Path) -> None:
    async def act(port: int) -> None:
        smtp_port, web_port = (port, 0) if option == "--smtp-port" else (0, port)
        async with Catcher(tmp_path, smtp_port=smtp_port, web_port=web_port):
            pytest.fail("the port was taken")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Mistake, match=f"Port {port} is taken: name another with {option}"):
            asyncio.run(act(port))


def test_a_mail_to_nobody_is_not_kept(tmp_path: Path) -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            client.mail("a@example.org")
            with pytest.raises(smtplib.SMTPDataError):
                client.data(b"x")

    async def act() -> None:
        async with Catcher(tmp_path) as catcher:
            await asyncio.to_thread(send, catcher.smtp_port)
            assert catcher.inbox.page().total == 0

    asyncio.run(act())
