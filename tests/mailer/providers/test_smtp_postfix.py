"""The smtp provider against Postfix: what it takes arrives byte for byte, what it refuses is understood."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from pydantic import SecretStr

from mailer.errors import AddressRefused, MessageRefused, ProviderDown, SendError, TryLater
from mailer.message import Message
from mailer.providers import Outcome, Outgoing, Receipt
from mailer.providers.signing import Signing
from mailer.providers.smtp import Settings
from mailer.providers.smtp.provider import Smtp, trust
from tests.mailer.providers.desks import RecordingDesk, an_outgoing
from tests.mailer.providers.postfix import BUSY, LARGEST, LOGIN, PASSWORD, Postfix, a_postfix, missing
from tests.mailer.render.samples import a_letter, a_person, a_recipient, the_letters
from tests.signatures import a_signer, is_signed
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
NAMES = ["Anna", "Åsa Öberg", "漢字 🎉", "</td><script>", ".", "From here", "=?utf-8?q?Bo?=", 'Bo "X" \\ Y', "x" * 300]
LETTERS = the_letters()
UNKNOWN, HERS, BEFORE, AFTER = "unknown@example.net", "åsa@xn--malm-8qa.se", "before@example.net", "after@example.net"
PORTS, LOGINS = ("starttls", "tls", "bare"), ("plain", "login")


@pytest.fixture(scope="module")
def postfix(certificate: Path) -> Iterator[Postfix]:
    mixed_ones = [letter.message.recipient for port in PORTS for login in LOGINS for letter in mixed(f"{port}-{login}")]
    with a_postfix(certificate, *mixed_ones, HERS, BEFORE, AFTER) as running:
        yield running


def settings_for(postfix: Postfix, port: str, **changes: Any) -> Settings:
    return Settings(
        **{
            "host": "127.0.0.1",
            "port": postfix.ports[port],
            "security": "tls" if port == "tls" else "starttls",
            "ca_file": str(postfix.folder / "etc" / "server.pem"),
            "username": LOGIN,
            "password": SecretStr(PASSWORD),
            "connections": 3,
            **changes,
        }
    )


def send(settings: Settings, *letters: Outgoing) -> list[Outcome]:
    """Send the letters signed, and return what became of each."""
    desk = RecordingDesk(*letters)

    async def act() -> None:
        provider = Signing(Smtp(settings, trust(settings)), a_signer().draft)
        try:
            async with asyncio.timeout(PATIENCE):
                await provider.carry(desk)
        finally:
            await provider.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(act())
    desk.kinds()
    return [desk.outcomes[ticket] for ticket in sorted(desk.outcomes)]


def a_digest_to(address: str, ticket: int, *names: str, plain_only: bool = False) -> Outgoing:
    recipient = a_recipient(*(a_person(name, number) for number, name in enumerate(names, 1)), address=address)
    content = LETTERS.prepare(a_letter(plain_only=plain_only), recipient.shape).compose(recipient)
    return Outgoing(ticket, f"7-{ticket}", Message("b-7@studs.nyhet.example.org", address, content))


def mixed(port: str) -> list[Outgoing]:
    """Return digests to one person, to a couple and in plain text, for mailboxes of this port's own."""
    letters = [a_digest_to(f"{port}{n}@example.net", n, name, plain_only=n % 3 == 0) for n, name in enumerate(NAMES)]
    return [*letters, a_digest_to(f"{port}-couple@example.net", len(NAMES), "Anna", "Bo")]


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("login", LOGINS)
def test_every_letter_lies_in_its_mailbox_byte_for_byte(postfix: Postfix, port: str, login: str):
    letters = mixed(f"{port}-{login}")

    outcomes = send(settings_for(postfix, port, login=login), *letters)

    assert all(isinstance(outcome, Receipt) for outcome in outcomes), outcomes
    postfix.wait_for_mail(*(letter.message.recipient for letter in letters))
    for letter in letters:
        [stored] = postfix.mailbox(letter.message.recipient)
        sent = a_signer().sign(letter.message.content)
        trace, found, rest = stored.replace(b"\n", b"\r\n").partition(b"DKIM-Signature: ")
        assert found + rest == sent
        assert trace.startswith(b"Return-Path: <b-7@studs.nyhet.example.org>\r\n")
        assert b"with ESMTPSA id" in trace  # TLS and a login
        assert is_signed(found + rest)


def test_an_unknown_recipient_a_busy_mailbox_and_a_letter_too_large_each_fail_alone(postfix: Postfix):
    letters = [
        a_digest_to(BEFORE, 0, "Anna"),
        a_digest_to(UNKNOWN, 1, "Anna"),
        a_digest_to(BUSY, 2, "Anna"),
        an_outgoing(3, "large@example.net", b"Subject: x\r\n\r\n" + b"x" * 70 * (LARGEST // 70) + b"\r\n"),
        a_digest_to(AFTER, 4, "Anna"),
    ]

    before, unknown, busy, large, after = send(settings_for(postfix, "starttls", connections=1), *letters)

    assert isinstance(before, Receipt)
    assert isinstance(after, Receipt)
    assert (type(unknown), code(unknown)) == (AddressRefused, "5.1.1")
    assert UNKNOWN not in str(unknown)
    assert (type(busy), code(busy)) == (TryLater, "4.2.0")
    assert (type(large), code(large)) == (MessageRefused, "5.3.4")
    assert "large@" not in postfix.log()  # SIZE was looked at before anything was said
    postfix.wait_for_mail(BEFORE, AFTER)


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, SendError)
    return outcome.code


def test_an_address_beyond_ascii_arrives_where_smtputf8_is_offered(postfix: Postfix):
    letter = a_digest_to(HERS, 0, "Åsa")

    [carried] = send(settings_for(postfix, "starttls"), letter)
    [refused] = send(settings_for(postfix, "bare"), letter)

    assert isinstance(carried, Receipt)
    assert (type(refused), code(refused)) == (AddressRefused, "5.6.7")
    postfix.wait_for_mail(HERS)
    [stored] = postfix.mailbox(HERS)
    assert f"<{HERS}>".encode() in stored
    assert is_signed(stored[stored.index(b"DKIM-Signature: ") :].replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password": SecretStr("gissat")}, "refused the login.*535"),
        ({"username": ""}, "Access denied"),
        ({"ca_file": None}, "certificate that is not valid"),
        ({"security": "tls"}, '"tls" goes with port 465'),
    ],
)
def test_what_is_set_up_wrongly_is_the_providers_trouble_and_fails_no_letter(
    postfix: Postfix, changes: dict[str, object], says: str
):
    with pytest.raises(ProviderDown, match=says):
        send(settings_for(postfix, "starttls", **changes), a_digest_to("nobody@example.net", 0, "Anna"))

    assert postfix.mailbox("nobody@example.net") == []
