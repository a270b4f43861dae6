"""Servers that answer as no server should, and what we make of it: every letter keeps a true account."""

import asyncio
import contextlib

import pytest

from mailer.errors import ProviderDown
from mailer.providers import Receipt
from mailer.providers.smtp.provider import Smtp
from mailer.providers.smtp.replies import LONGEST_LINE, MOST_LINES
from tests.mailer.providers.desks import CONTENT, DropError, RecordingDesk, Script, ScriptedServer, an_outgoing
from tests.mailer.providers.test_smtp import BOTH, Offers, carry, letters, run, settings_for

FLOODS = {
    "lines": b"\r\n".join([b"250-and"] * (MOST_LINES + 1)),
    "one line": b"250 " + b"x" * (LONGEST_LINE + 1),
    "NUL": b"\0" * 70_000,
    "two codes": b"250-a\r\n251 b",
}


class Dripping(ScriptedServer):
    """Writes every byte of an answer by itself."""

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        if b"\n" in answer or b"<" not in answer:
            for octet in answer + b"\r\n":
                writer.write(bytes((octet,)))
                await writer.drain()
                await asyncio.sleep(0)
            return
        await super()._say(reader, writer, answer)


class NeverEnding(ScriptedServer):
    """Answers RCPT with line after line, each in good time, and never with the last one."""

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        if answer != b"<never ending>":
            await super()._say(reader, writer, answer)
            return
        while not writer.transport.is_closing():
            writer.write(b"250-wait\r\n")
            await asyncio.sleep(0.01)
        raise DropError


@BOTH
def test_answers_that_come_byte_by_byte_are_the_same_answers(offers: Offers):
    server = Dripping(
        {"RCPT": [None, b"550-5.1.1 no such user\r\n550 5.1.1 here"]}, offers=(*offers, "SIZE 99999", "DSN")
    )
    desk = RecordingDesk(*letters(4))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt", "AddressRefused", "Receipt", "Receipt"]
    assert server.recipients() == ["m0@example.net", "m2@example.net", "m3@example.net"]


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("verb", ["GREET", "EHLO"])
def test_a_flood_before_the_first_letter_is_one_sentence_and_keeps_the_letters(verb: str, flood: bytes):
    server, desk = ScriptedServer({verb: [flood]}), RecordingDesk(*letters(3))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown, match="broke off"):
            await carry(s, desk)

    run(server, act)

    assert len(desk.waiting) == 3
    assert server.accepted == []


@BOTH
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "BODY"])
def test_a_flood_in_the_middle_ends_the_connection_and_only_a_body_is_in_doubt(verb: str, flood: bytes, offers: Offers):
    server, desk = ScriptedServer({verb: [None, flood]}, offers=offers), RecordingDesk(*letters(4))

    run(server, lambda s: carry(s, desk))

    kinds = desk.kinds()
    assert kinds.count("Receipt") == (3 if verb == "BODY" else 4)
    assert kinds.count("Unanswered") == (1 if verb == "BODY" else 0)
    assert sorted(set(server.recipients())) == server.recipients()


def test_an_answer_without_end_is_waited_for_no_longer_than_any_other():
    server, desk = NeverEnding({"RCPT": [b"<never ending>"]}), RecordingDesk(*letters(2))

    run(server, lambda s: carry(s, desk, wait=0.3))

    assert desk.kinds() == ["Receipt", "Receipt"]
    assert server.connections == 2


def test_what_a_server_says_with_controls_in_it_is_kept_without_them():
    server = ScriptedServer({"BODY": [b"250 2.0.0 \0queued\x1b[2J as \x9b\xff7"]})
    desk = RecordingDesk(*letters(1))

    run(server, lambda s: carry(s, desk))

    assert desk.outcomes[0] == Receipt("2.0.0  queued [2J as \ufffd\ufffd7")


@pytest.mark.parametrize(
    "offers",
    [
        ("PIPELINING", "8BITMIME"),
        ("pipelining", "8bitmime BODY=8BITMIME"),
        ("PIPELINING", "8BITMIME=NO"),
        ("8BITMIME 7BIT",),
    ],
)
def test_whatever_is_said_of_8bitmime_nothing_of_it_is_asked_for(offers: Offers):
    server, desk = ScriptedServer(offers=offers), RecordingDesk(*letters(3))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt"] * 3
    assert not any("BODY=" in line for line in server.lines)
    assert all(content.isascii() for _, content in server.accepted)


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE -5", "SIZE much", "SIZE 1e3", "SIZE " + "9" * 30])
def test_a_size_that_is_no_limit_limits_nothing(size: str):
    server, desk = ScriptedServer(offers=("PIPELINING", size)), RecordingDesk(*letters(2))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt"] * 2


@pytest.mark.parametrize(
    ("script", "offers"),
    [
        ({"MAIL": [b"552 5.3.4 too big after all"]}, ("SIZE 99999",)),
        ({"BODY": [b"552 5.3.4 too big after all"]}, ("PIPELINING", "SIZE 99999")),
        ({"DATA": [b"552 too big after all"]}, ("PIPELINING", "SIZE 99999")),
    ],
)
def test_a_size_that_was_a_lie_refuses_that_letter_alone(script: Script, offers: Offers):
    server, desk = ScriptedServer(script, offers=offers), RecordingDesk(*letters(3))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["MessageRefused", "Receipt", "Receipt"]


@BOTH
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_answers_to_questions_nobody_asked_never_pass_for_a_receipt(verb: str, offers: Offers):
    ahead = b"250 2.0.0 queued\r\n" * 4 + b"250 2.0.0 queued"
    server, desk = ScriptedServer({verb: [ahead]}, offers=offers), RecordingDesk(*letters(3))

    async def act(s: ScriptedServer) -> None:
        provider = Smtp(settings_for(s.port, wait=1), None)
        with contextlib.suppress(ProviderDown):
            await provider.carry(desk)
        await provider.close()

    run(server, act)

    arrived = server.recipients()
    assert not server.empty
    assert not desk.out
    for ticket, outcome in desk.outcomes.items():
        if isinstance(outcome, Receipt):
            assert arrived.count(f"m{ticket}@example.net") == 1


def test_a_letter_at_the_size_limit_is_sent_and_one_octet_more_is_not():
    server = ScriptedServer(offers=("PIPELINING", f"SIZE {len(CONTENT)}"))
    desk = RecordingDesk(an_outgoing(0), an_outgoing(1, content=b"X" + CONTENT))

    run(server, lambda s: carry(s, desk))

    assert desk.kinds() == ["Receipt", "MessageRefused"]
    assert not any("m1@" in line for line in server.lines)
