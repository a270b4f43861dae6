"""A mail server hands over by LMTP or SMTP: 2xx when it is done, 4xx when it cannot be now, 5xx when it is not ours."""

import asyncio
import contextlib
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from sqlmodel import select

from mailer import db
from mailer.config.feedback import Receive
from mailer.errors import Mistake, ProviderDown
from mailer.feedback.models import Feedback
from mailer.feedback.receiving import LONGEST_MAIL, MOST_VISITS, Addresses, Receiver, Reception, open_door
from mailer.keys import load
from subscribers.models import Suppression
from tests.builders import MOMENT
from tests.mailer.cli.test_outbox import Site
from tests.mailer.feedback import returned
from tests.mailer.feedback.returned import DOMAIN, TOKENS, a_bounce
from tests.mailer.outbox.posting import a_mailing
from tests.mailer.providers import postfix
from tests.waiting import PATIENCE, wait_until

NAMED = ("brev@example.org", "avsluta@example.org")
Result = TypeVar("Result")
Answer = tuple[int, bytes]


class Desk:
    """Keeps what was forwarded."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.mails: list[bytes] = []
        self._trouble = trouble

    def __call__(self, octets: bytes, _now: datetime) -> None:
        if self._trouble:
            raise self._trouble
        self.mails.append(octets)


def a_reception(engine: sa.Engine, forward: Desk | None = None) -> Reception:
    addresses = Addresses.of(DOMAIN, NAMED, TOKENS)
    return Reception(addresses, partial(db.writing, engine), forward, lambda: MOMENT)


def at_the_door(reception: Reception, act: Callable[[int], Result], *, protocol: str = "lmtp") -> Result:
    """Run `act(port)` while the door is open."""

    async def run() -> Result:
        settings = Receive.model_validate({"port": 0, "protocol": protocol})
        async with open_door(Receiver(reception), settings) as port:
            return await asyncio.to_thread(act, port)

    return asyncio.run(run())


def hand_over(mail: bytes, *recipients: str, protocol: str = "lmtp", sender: str = "") -> Callable[[int], list[Answer]]:
    """Return the answers to each RCPT and, when one was taken, to the mail."""

    def act(port: int) -> list[Answer]:
        client = smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP
        with client("127.0.0.1", port, local_hostname="mx") as server:
            server.ehlo()
            server.mail(sender)
            answers = [server.rcpt(recipient) for recipient in recipients]
            return [*answers, server.data(mail)] if any(code < 300 for code, _ in answers) else answers

    return act


def codes(answers: list[Answer]) -> list[int]:
    return [code for code, _ in answers]


def told(engine: sa.Engine) -> list[int]:
    with db.reading(engine) as session:
        return sorted(event.member_id for event in session.exec(select(Feedback)))


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_a_bounce_is_in_the_book_when_it_is_answered(engine: sa.Engine, mailing: int, protocol: str) -> None:
    reception = a_reception(engine)
    mail = a_bounce("somebody@example.net")  # what its header says does not matter

    def twice(port: int) -> list[Answer]:
        give = hand_over(mail, returned.address(1, mailing).upper(), protocol=protocol)
        return [*give(port), *give(port)]

    assert codes(at_the_door(reception, twice, protocol=protocol)) == [250] * 4
    assert told(engine) == [1]
    with db.reading(engine) as session:
        assert len(session.exec(select(Suppression)).all()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "b-" + "a" * 28 + "@" + DOMAIN,
        returned.address(1, 1).replace("b-", "c-"),
        returned.address(1, 1).replace(DOMAIN, "example.net"),
        "anna@example.org",
        "anna@" + DOMAIN,
    ],
)
def test_an_address_that_is_not_ours_is_refused_at_once(engine: sa.Engine, mailing: int, address: str) -> None:
    del mailing
    assert codes(at_the_door(a_reception(engine), hand_over(b"", address))) == [550]


def test_one_recipient_at_a_time(engine: sa.Engine, mailing: int) -> None:
    both = returned.address(1, mailing), returned.address(2, mailing)

    assert codes(at_the_door(a_reception(engine), hand_over(a_bounce(), *both))) == [250, 452, 250]
    assert told(engine) == [1]


def test_without_the_database_the_server_keeps_the_mail(engine: sa.Engine, mailing: int, tmp_path: Path) -> None:
    away = db.open_engine(f"sqlite:///{tmp_path}/nowhere/utskick.db")

    answers = at_the_door(a_reception(away), hand_over(a_bounce(), returned.address(1, mailing)))

    assert answers[1] == (451, b"4.3.0 Not now")
    assert told(engine) == []


@pytest.mark.parametrize("address", [*NAMED, "brev+x@example.org", f"postmaster@{DOMAIN}"])
def test_a_persons_mail_is_forwarded_or_refused_and_never_dropped(
    engine: sa.Engine, mailing: int, address: str
) -> None:
    del mailing
    desk, mail = Desk(), returned.a_reply(address)

    assert (
        codes(at_the_door(a_reception(engine, desk), hand_over(mail, address, sender="anna@example.net"))) == [250] * 2
    )
    assert [each.partition(b"\r\n\r\n")[2] for each in desk.mails] == [mail.partition(b"\r\n\r\n")[2]]
    assert codes(at_the_door(a_reception(engine), hand_over(mail, address))) == [250, 550]
    down = Desk(ProviderDown("The mail server is away."))
    assert codes(at_the_door(a_reception(engine, down), hand_over(mail, address))) == [250, 451]


def test_what_goes_round_is_refused(engine: sa.Engine, mailing: int) -> None:
    del mailing
    desk = Desk()
    marked = b"X-Utskick-Forwarded: 1\r\n" + returned.a_reply()
    travelled = b"Received: by mx.example.net\r\n" * 60 + returned.a_reply()

    for mail in (marked, travelled):
        assert codes(at_the_door(a_reception(engine, desk), hand_over(mail, NAMED[0]))) == [250, 554]
    assert desk.mails == []


def test_machines_and_strays_are_taken_and_never_forwarded(engine: sa.Engine, mailing: int) -> None:
    desk = Desk()
    for mail in (returned.an_auto_reply(), a_bounce(), a_bounce(about=returned.message_id(99, mailing))):
        assert codes(at_the_door(a_reception(engine, desk), hand_over(mail, NAMED[0]))) == [250] * 2
    assert (desk.mails, told(engine)) == ([], [])


def test_a_mail_that_is_too_large_is_refused_and_long_lines_are_not(engine: sa.Engine, mailing: int) -> None:
    address = returned.address(1, mailing)

    large = (b"x" * 998 + b"\r\n") * (LONGEST_MAIL // 1000 + 1)
    assert codes(at_the_door(a_reception(engine), hand_over(large, address))) == [250, 552]
    long_line = a_bounce().replace(b"\n", b"\r\n") + b"x" * 100_000
    assert codes(at_the_door(a_reception(engine), hand_over(long_line, address))) == [250, 250]
    assert told(engine) == [1]


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_who_comes_while_too_many_are_here_is_sent_away_until_one_leaves(
    engine: sa.Engine, mailing: int, protocol: str
) -> None:
    del mailing

    def greeting(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            return line.recv(3)

    def act(port: int) -> None:
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MOST_VISITS)]
            assert {line.recv(3) for line in idle} == {b"220"}
            assert greeting(port) == b"421"
            idle[0].close()
            wait_until(lambda: greeting(port) == b"220")

    at_the_door(a_reception(engine), act, protocol=protocol)


def test_a_hostile_client_gets_answers_and_the_next_one_is_served(engine: sa.Engine, mailing: int) -> None:
    """Noise, lines without end, commands out of order, and a connection that ends in the middle of a mail."""
    to = returned.address(1, mailing).encode()
    begun = b"LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<" + to + b">\r\nDATA\r\n"
    noises = (
        bytes(range(256)) * 40 + b"\r\n",
        b"x" * 2_000_000,
        b"DATA\r\nRCPT TO:<>\r\nMAIL FROM:<\xff>\r\n" * 50,
        begun + a_bounce()[:200],
        begun + b"Subject: x\n.\nMAIL FROM:<>\nRCPT TO:<" + to + b">\nDATA\n" + a_bounce() + b"\n.\n",
    )

    def act(port: int) -> list[Answer]:
        for noise in noises:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as line, contextlib.suppress(OSError):
                line.sendall(noise)
                line.shutdown(socket.SHUT_WR)
                while line.recv(65536):
                    pass
        assert told(engine) == []
        return hand_over(a_bounce(), to.decode())(port)

    assert codes(at_the_door(a_reception(engine), act)) == [250] * 2
    assert told(engine) == [1]


def test_a_port_that_is_taken_is_a_mistake(engine: sa.Engine, mailing: int) -> None:
    del mailing

    async def twice(port: int) -> None:
        async with open_door(Receiver(a_reception(engine)), Receive(port=port)):
            pass

    with pytest.raises(Mistake, match=r"\[feedback.receive\]"):
        at_the_door(a_reception(engine), lambda port: asyncio.run(twice(port)))


@pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing())
def test_postfix_hands_over_and_refuses_what_we_refuse(engine: sa.Engine, mailing: int, certificate: Path) -> None:
    forged = "b-" + "a" * 28 + "@" + DOMAIN

    def act(port: int) -> str:
        with postfix.a_postfix(certificate, lmtp={DOMAIN: port}) as server:
            context = ssl.create_default_context(cafile=str(certificate))
            with smtplib.SMTP_SSL("127.0.0.1", server.ports["tls"], context=context) as client:
                client.login(postfix.LOGIN, postfix.PASSWORD)
                mail = a_bounce("somebody@example.net").replace(b"\n", b"\r\n")
                client.sendmail("", [returned.address(1, mailing), returned.address(2, mailing), forged], mail)
            deadline = time.monotonic() + PATIENCE
            while len(told(engine)) < 2 or "550 5.1.1" not in server.log():
                assert time.monotonic() < deadline, server.log()
                time.sleep(0.1)
            return server.log()

    log = at_the_door(a_reception(engine), act)

    assert told(engine) == [1, 2]
    assert "250 2.0.0 Taken: bounce" in log


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    site = Site(tmp_path, f"sqlite:///{tmp_path}/data/utskick.db", capsys)
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8").replace('bounce_domain = ""', f'bounce_domain = "{DOMAIN}"')
    text = text.replace('forward_to = ""', 'forward_to = "kansli@example.org"').replace("port = 8024", "port = 0")
    config.write_text(text.replace('providers = ["smtp"]', 'providers = ["catch"]'), encoding="utf-8")
    yield site
    site.engine.dispose()


def test_the_command_takes_mail_until_it_is_told_to_stop(site: Site, tmp_path: Path) -> None:
    mailing = a_mailing(site.engine, 1, created_at=datetime.now(MOMENT.tzinfo))
    tokens = load(tmp_path / "keys.toml").tokens
    command = [sys.executable, "-m", "mailer.cli", "receive", *site.places]
    environ = os.environ | {"LANGUAGE": "en"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as running:  # noqa: S603  our own
        assert running.stderr is not None
        said = re.search(r"127\.0\.0\.1:(\d+)", running.stderr.readline())
        assert said is not None
        port = int(said[1])
        bounced = hand_over(a_bounce(), f"{tokens.make_return(1, mailing)}@{DOMAIN}")(port)
        answered = hand_over(returned.a_reply(), f"postmaster@{DOMAIN}", sender="anna@example.net")(port)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
        log = running.stderr.read()

    assert (codes(bounced), codes(answered)) == ([250, 250], [250, 250])
    assert told(site.engine) == [1]
    [forwarded] = (tmp_path / "data" / "caught" / "new").iterdir()
    assert b"To: kansli@example.org" in forwarded.read_bytes()
    assert "anna" not in log
