"""Letters are signed ahead of their turn, and every one of them is accounted for as before."""

import asyncio
from collections.abc import Callable

import pytest

from mailer.errors import ProviderDown
from mailer.message.dkim import NO_SIGNATURE, Draft
from mailer.providers import Desk, Outgoing, Receipt
from mailer.providers.signing import AHEAD, Signing, Write, signed
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import RecordingDesk, ScriptedServer, an_outgoing
from tests.mailer.providers.test_smtp import letters, run, settings_for
from tests.signatures import a_signer, is_signed

MANY = 3 * AHEAD


class Stumbling:
    """Carries `good` letters, then does `last` with the desk."""

    def __init__(self, good: int, last: Callable[[Desk], None]) -> None:
        self.carried: list[Outgoing] = []
        self._good = good
        self._last = last

    async def carry(self, desk: Desk) -> None:
        for _ in range(self._good):
            outgoing = desk.take()
            assert outgoing is not None
            assert desk.start([outgoing])
            self.carried.append(outgoing)
            desk.settle(outgoing, Receipt("ok"))
        self._last(desk)

    async def close(self) -> None:
        """Nothing is open."""


def down(desk: Desk) -> None:
    outgoing = desk.take()
    assert outgoing is not None
    desk.give_back(outgoing)
    raise ProviderDown("gone")


def test_all_letters_are_carried_signed_and_in_their_order():
    provider, desk = Stumbling(MANY, lambda _: None), RecordingDesk(*letters(MANY))

    asyncio.run(Signing(provider, a_signer("example.org").draft).carry(desk))

    assert desk.kinds() == ["Receipt"] * MANY
    assert [outgoing.ticket for outgoing in provider.carried] == list(range(MANY))
    assert all(is_signed(outgoing.message.content, "example.org") for outgoing in provider.carried)


def test_when_the_provider_goes_down_what_was_signed_ahead_comes_back():
    provider, desk = Stumbling(3, down), RecordingDesk(*letters(MANY))

    with pytest.raises(ProviderDown):
        asyncio.run(Signing(provider, a_signer("example.org").draft).carry(desk))

    assert desk.kinds() == ["Receipt"] * 3
    assert sorted(outgoing.ticket for outgoing in desk.waiting) == list(range(3, MANY))


class Refusing(Draft):
    def signature(self) -> bytes:
        raise ValueError("no")


def refuses_to_write(content: bytes) -> Draft:
    if b"5" in content:
        raise ValueError("no")
    return NO_SIGNATURE


def refuses_to_sign(content: bytes) -> Draft:
    return Refusing() if b"5" in content else NO_SIGNATURE


@pytest.mark.parametrize("write", [refuses_to_write, refuses_to_sign])
def test_a_letter_that_cannot_be_signed_stops_none_before_it_and_none_is_lost(write: Write):
    desk = RecordingDesk(*(an_outgoing(ticket, content=b"%d\r\n" % ticket) for ticket in range(9)))

    with pytest.raises(ValueError, match="no"):
        asyncio.run(Signing(Stumbling(9, down), write).carry(desk))

    assert desk.kinds() == ["Receipt"] * 5
    assert sorted(outgoing.ticket for outgoing in desk.waiting) == [5, 6, 7, 8]


def test_over_smtp_each_letter_arrives_once_with_its_own_signature():
    server, signer = ScriptedServer({"RCPT": [None, b"450 4.2.0 later"]}), a_signer("example.org")
    desk = RecordingDesk(*letters(MANY))

    async def act(s: ScriptedServer) -> None:
        provider = Signing(Smtp(settings_for(s.port, connections=2), None), signer.draft)
        await provider.carry(desk)
        await provider.close()

    run(server, act)

    assert desk.kinds().count("TryLater") == 1
    assert len(server.accepted) == MANY - 1
    assert all(is_signed(content, "example.org") for _, content in server.accepted)


def carried_by(name: str) -> bytes:
    """Return a letter as a provider of this name would get it."""
    provider, desk = Stumbling(1, lambda _: None), RecordingDesk(an_outgoing(1))
    asyncio.run(signed(name, provider, a_signer("example.org")).carry(desk))
    [outgoing] = provider.carried
    return outgoing.message.content


def test_what_ses_writes_anew_is_left_out():
    content = carried_by("ses")

    assert is_signed(b"Date: now\r\nMessage-ID: <x@y>\r\n" + content, "example.org")
    assert b"subject:subject" in content.replace(b"\r\n ", b"")


@pytest.mark.parametrize("name", ["brevo", "postmark", "resend", "scaleway"])
def test_a_provider_that_writes_the_mail_and_signs_it_gets_no_signature_of_ours(name: str):
    assert carried_by(name) == an_outgoing(1).message.content


@pytest.mark.parametrize("name", ["smtp", "catch", "mailgun", "postal"])
def test_every_other_one_carries_a_signature_over_all(name: str):
    content = carried_by(name)

    assert is_signed(content, "example.org")
    assert not is_signed(b"Date: now\r\n" + content, "example.org")
