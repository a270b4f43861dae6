"""Every way a server can behave, and what becomes of each message. Nothing is ever sent twice or empty."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import uvloop

from mailer.errors import ProviderDown, TryLater
from mailer.message import Message
from mailer.providers import Outgoing, Receipt
from mailer.providers.smtp import Patience, Settings
from mailer.providers.smtp.provider import Smtp, trust
from tests.mailer.providers.desks import (
    CONTENT,
    DROP,
    DROP_BEFORE_DOT_REPLY,
    DROP_IN_BODY,
    SILENCE,
    RecordingDesk,
    Script,
    ScriptedServer,
    an_outgoing,
)
from tests.waiting import PATIENCE

BOTH = pytest.mark.parametrize("offers", [("PIPELINING",), ("SIZE",)], ids=["pipelined", "step by step"])
Offers = tuple[str, ...]


def settings_for(port: int, connections: int = 1, cap: int = 100, wait: float = 5) -> Settings:
    span = timedelta(seconds=wait)
    return Settings(
        host="127.0.0.1",
        port=port,
        security="none",
        connections=connections,
        messages_per_connection=cap,
        patience=Patience(connect=span, greeting=span, command=span, data=span, final=span),
    )


async def carry(server: ScriptedServer, desk: RecordingDesk, connections: int = 1, wait: float = 5) -> None:
    settings = settings_for(server.port, connections=connections, wait=wait)
    provider = Smtp(settings, trust(settings))
    try:
        async with asyncio.timeout(PATIENCE):
            await provider.carry(desk)
    finally:
        await provider.close()
    assert not server.empty


def run(server: ScriptedServer, act: Callable[[ScriptedServer], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with server:
            await act(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as workers do
        runner.run(inside())


def letters(count: int) -> list[Outgoing]:
    return [an_outgoing(ticket) for ticket in range(count)]


@BOTH
def test_each_message_arrives_once_and_whole(offers: Offers) -> None:
    server, desk = ScriptedServer(offers=offers), RecordingDesk(*letters(25))

    run(server, lambda s: carry(s, desk, connections=3))

    assert desk.kinds() == ["Receipt"] * 25
    assert sorted(server.accepted) == sorted((f"m{n}@example.net", CONTENT) for n in range(25))
    assert desk.outcomes[0] == Receipt("2.0.0 queued")


@BOTH
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ({"MAIL": [b"451 4.3.0 busy"]}, "TryLater"),
        ({"RCPT": [b"450 4.2.0 greylisted"]}, "TryLater"),
        ({"RCPT": [b"550 5.1.1 no such user"]}, "AddressRefused"),
        ({"RCPT": [b"550-5.7.1 blocked by\r\n550 5.7.1 our policy"]}, "MessageRefused"),
        ({"DATA": [b"451 4.3.0 not now"]}, "TryLater"),
        ({"DATA": [b"554 5.6.0 no"]}, "MessageRefused"),
        ({"BODY": [b"451 4.3.0 disk"]}, "TryLater"),
        ({"BODY": [b"552 5.3.4 too big"]}, "MessageRefused"),
        ({"BODY": [b"550 5.1.1 no such user after all"]}, "AddressRefused"),
        ({"BODY": [DROP_IN_BODY]}, "Unanswered"),
        ({"BODY": [DROP_BEFORE_DOT_REPLY]}, "Unanswered"),
        ({"BODY": [b"no reply at all"]}, "Unanswered"),
        ({"BODY": [b"354 again?"]}, "Unanswered"),
        ({"BODY": [b"421 4.3.2 going down"]}, "TryLater"),
    ],
    ids=str,
)
def test_one_bad_answer_decides_one_message_and_the_others_arrive(script: Script, outcome: str, offers: Offers) -> None:
    server, desk = ScriptedServer(script, offers=offers), RecordingDesk(*letters(4))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == [outcome, "Receipt", "Receipt", "Receipt"]
    assert {"m1@example.net", "m2@example.net", "m3@example.net"} <= set(server.recipients())


@BOTH
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [DROP, b"421 4.7.0 too fast", b"\xff\xfe\x00", b"250-a\r\n251 b"], ids=str)
def test_an_envelope_whose_connection_goes_is_sent_again_on_another(verb: str, answer: bytes, offers: Offers) -> None:
    server = ScriptedServer({verb: [None, answer]}, offers=offers)
    desk = RecordingDesk(*letters(3))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt"] * 3
    assert sum(desk.given_back.values()) == 1
    assert server.connections == 2


@BOTH
def test_an_envelope_that_ends_two_connections_is_put_off(offers: Offers) -> None:
    server, desk = ScriptedServer({"RCPT": [DROP, DROP]}, offers=offers), RecordingDesk(*letters(1))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["TryLater"]


def test_when_the_body_is_lost_the_envelope_behind_it_is_given_back_untried() -> None:
    server, desk = ScriptedServer({"BODY": [None, DROP_BEFORE_DOT_REPLY]}), RecordingDesk(*letters(4))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt", "Unanswered", "Receipt", "Receipt"]
    assert desk.given_back == {2: 1}
    assert server.recipients() == [f"m{n}@example.net" for n in range(4)]  # the unanswered one had arrived: once


@pytest.mark.parametrize("verb", ["GREET", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
def test_silence_ends_by_the_clock(verb: str) -> None:
    server, desk = ScriptedServer({verb: [SILENCE] * 9}), RecordingDesk(*letters(1))

    async def act(s: ScriptedServer) -> None:
        if verb in ("GREET", "EHLO"):
            with pytest.raises(ProviderDown, match="in time"):
                await carry(s, desk, wait=0.1)
        else:
            await carry(s, desk, wait=0.1)

    run(server, act)

    expected = {"GREET": [], "EHLO": [], "BODY": ["Unanswered"]}.get(verb, ["TryLater"])
    assert desk.kinds() == expected


def test_a_server_that_never_answers_an_envelope_is_down() -> None:
    server, desk = ScriptedServer({"MAIL": [DROP] * 20}), RecordingDesk(*letters(9))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown, match="drops them"):
            await carry(s, desk)

    run(server, act)

    assert set(desk.kinds()) <= {"TryLater"}
    assert not server.accepted


@BOTH
def test_a_refused_sender_is_the_providers_trouble_and_nothing_fails(offers: Offers) -> None:
    server = ScriptedServer({"MAIL": [b"550 5.7.1 not your address"] * 9}, offers=offers)
    desk = RecordingDesk(*letters(5))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown, match="not your address"):
            await carry(s, desk)

    run(server, act)

    assert desk.kinds() == []
    assert len(desk.waiting) == 5


def test_relaying_denied_stops_a_server_that_has_taken_nothing_but_not_one_that_has() -> None:
    refusal = b"554 5.7.1 <m@example.net>: Relay access denied"
    first, second = RecordingDesk(*letters(3)), RecordingDesk(*letters(3))

    async def at_once(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown):
            await carry(s, first)

    run(ScriptedServer({"RCPT": [refusal] * 9}, offers=()), at_once)
    run(ScriptedServer({"RCPT": [None, refusal]}, offers=()), lambda s: carry(s, second))

    assert first.kinds() == []
    assert second.kinds() == ["Receipt", "MessageRefused", "Receipt"]


def test_a_quota_spent_after_the_body_stops_the_provider_and_loses_nothing() -> None:
    server = ScriptedServer({"BODY": [None, b"550 5.4.5 Daily user sending limit exceeded"]})
    desk = RecordingDesk(*letters(6))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown, match="limit"):
            await carry(s, desk)

    run(server, act)

    assert desk.kinds()[:2] == ["Receipt", "TryLater"]
    assert len(desk.outcomes) + len(desk.waiting) == 6


def test_a_lone_dot_is_sent_only_when_the_recipient_was_refused() -> None:
    server = ScriptedServer({"RCPT": [b"550 5.1.1 unknown"]})
    desk = RecordingDesk(*letters(2))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["AddressRefused", "Receipt"]
    assert server.connections == 1
    assert "RSET" in server.lines


def test_a_server_that_refuses_the_sender_but_takes_recipient_and_data_gets_no_dot() -> None:
    server = ScriptedServer({"MAIL": [b"452 4.3.1 full"]})  # then it says yes to RCPT and DATA all the same
    desk = RecordingDesk(*letters(2))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["TryLater", "Receipt"]
    assert server.recipients() == ["m1@example.net"]
    assert server.connections == 2


@BOTH
def test_a_message_withdrawn_at_the_last_moment_is_not_sent_and_the_next_one_is(offers: Offers) -> None:
    server = ScriptedServer(offers=offers)
    desk = RecordingDesk(*letters(3), allow=lambda outgoing: outgoing.ticket != 1)

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt", "Receipt"]
    assert desk.given_back[1] == 1
    assert server.recipients() == ["m0@example.net", "m2@example.net"]


def in_parts(*parts: bytes) -> Outgoing:
    return Outgoing(0, "7-0", Message("b-0@studs.example.org", "m0@example.net", *parts))


@pytest.mark.parametrize(
    ("letter", "offers", "outcome"),
    [
        (an_outgoing(0, "åsa@example.net"), ("PIPELINING",), "AddressRefused"),
        (an_outgoing(0, "åsa@example.net"), ("PIPELINING", "SMTPUTF8"), "Receipt"),
        (an_outgoing(0, "a@b>\r\nRCPT TO:<c@d"), ("PIPELINING",), "AddressRefused"),
        (an_outgoing(0, '"a b"@example.net'), ("PIPELINING",), "Receipt"),
        (an_outgoing(0, content=CONTENT * 9), ("SIZE 100",), "MessageRefused"),
        (an_outgoing(0, content=b".\r\n"), ("PIPELINING",), "MessageRefused"),
        (an_outgoing(0, content=b"no line end"), ("PIPELINING",), "MessageRefused"),
        (in_parts(b"x" * 50, b"", b"x" * 48, b"\r\n"), ("PIPELINING", "SIZE 100"), "Receipt"),
        (in_parts(b"x" * 50, b"", b"x" * 49, b"\r\n"), ("PIPELINING", "SIZE 100"), "MessageRefused"),
        (in_parts(b"", b".\r\n"), ("PIPELINING",), "MessageRefused"),
        (in_parts(b"To: a\r\n", b""), ("PIPELINING",), "MessageRefused"),
    ],
)
def test_what_this_server_cannot_be_asked_is_settled_unsent(letter: Outgoing, offers: Offers, outcome: str) -> None:
    server, desk = ScriptedServer(offers=offers), RecordingDesk(letter, an_outgoing(1))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == [outcome, "Receipt"]
    assert len(server.accepted) == (2 if outcome == "Receipt" else 1)


def test_delivery_reports_are_asked_for_where_offered() -> None:
    server = ScriptedServer(offers=("PIPELINING", "DSN", "SIZE 9999"))

    run(server, lambda s: carry(s, RecordingDesk(*letters(1))))

    assert f"MAIL FROM:<b-0@studs.example.org> SIZE={len(CONTENT)} RET=HDRS ENVID=weekly+2B0" in server.lines
    assert "RCPT TO:<m0@example.net> NOTIFY=FAILURE,DELAY" in server.lines


def test_nobody_listening_is_one_sentence_that_names_the_place() -> None:
    desk = RecordingDesk(*letters(1))

    async def act() -> None:
        async with ScriptedServer() as s:
            port = s.port
        settings = settings_for(port)
        with pytest.raises(ProviderDown, match=f"No mail server answers at 127.0.0.1:{port}"):
            await Smtp(settings, None).carry(desk)

    asyncio.run(act())

    assert len(desk.waiting) == 1


def test_a_try_later_names_the_servers_words_without_the_address() -> None:
    server = ScriptedServer({"RCPT": [b"450 4.2.2 <m0@example.net>: mailbox of m0 full"]})
    desk = RecordingDesk(*letters(1))

    run(server, lambda s: carry(s, desk))

    outcome = desk.outcomes[0]
    assert isinstance(outcome, TryLater)
    assert outcome.detail == "450 4.2.2 [address]: mailbox of [address] full"
    assert outcome.code == "4.2.2"
