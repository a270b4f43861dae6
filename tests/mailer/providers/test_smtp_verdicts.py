"""What servers say, and what it means: replies seen in the field."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import AddressRefused, MessageRefused, ProviderDown, SendError, TryLater
from mailer.providers.smtp.envelope import Offers, read_offers
from mailer.providers.smtp.replies import LONGEST_LINE, MOST_LINES, Reply, ReplyReader
from mailer.providers.smtp.verdicts import Step, judge

FIELD: tuple[tuple[Step, str, type[SendError]], ...] = (
    (Step.MAIL, "451 4.3.0 try again", TryLater),
    (Step.MAIL, "552 5.3.4 message size exceeds fixed limit", MessageRefused),
    (Step.MAIL, "552 too large", MessageRefused),
    (Step.MAIL, "553 5.1.8 sender domain does not exist", ProviderDown),
    (Step.MAIL, "530 5.7.0 Must issue a STARTTLS command first", ProviderDown),
    (Step.RCPT, "550 5.1.1 <x@example.net> User unknown", AddressRefused),
    (Step.RCPT, "550 No such user here", AddressRefused),
    (Step.RCPT, "550 5.4.1 Recipient address rejected: Access denied.", AddressRefused),
    (Step.RCPT, "550 5.7.1 Service unavailable, client host blocked using Spamhaus", MessageRefused),
    (Step.RCPT, "550 Blocked by our reputation service", MessageRefused),
    (Step.RCPT, "550 5.7.515 Access denied, sending domain does not meet the required level", MessageRefused),
    (Step.RCPT, "554 5.7.1 <x@example.net>: Relay access denied", ProviderDown),
    (Step.RCPT, "530 5.7.1 Authentication required", ProviderDown),
    (Step.RCPT, "552 5.2.2 mailbox full", AddressRefused),
    (Step.RCPT, "552 too many recipients", TryLater),
    (Step.RCPT, "550 5.5.3 too many recipients", TryLater),
    (Step.RCPT, "452 4.5.3 too many", TryLater),
    (Step.RCPT, "556 5.1.10 null MX", AddressRefused),
    (Step.RCPT, "554 5.7.1 <a@b.se>: Recipient address rejected: Access denied", ProviderDown),
    (Step.RCPT, "550 5.4.1 Recipient address rejected: Access denied. [AM5EUR03FT061]", AddressRefused),
    (Step.RCPT, "553 5.6.7 non-ASCII address not permitted", AddressRefused),
    (Step.RCPT, "550 5.1.1 <spam-blocklist@example.net>", AddressRefused),
    (Step.RCPT, "550 <spam-policy@example.net> unknown", AddressRefused),
    (Step.RCPT, "554 no", MessageRefused),
    (Step.DATA, "554 5.5.1 no valid recipients", MessageRefused),
    (Step.BODY, "554 5.7.1 Message rejected as spam", MessageRefused),
    (Step.BODY, "552 5.7.0 blocked because its content presents a security issue", MessageRefused),
    (Step.BODY, "550 5.7.26 unauthenticated email is not accepted", MessageRefused),
    (Step.BODY, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", AddressRefused),
    (Step.BODY, "550 5.4.5 Daily user sending limit exceeded", ProviderDown),
    (Step.BODY, "554 5.6.2 conversion not supported", MessageRefused),
    (Step.BODY, "451 4.7.1 greylisted", TryLater),
)


def a_reply(text: str) -> Reply:
    return Reply(int(text[:3]), (text[4:].encode(),))


@pytest.mark.parametrize(("step", "text", "consequence"), FIELD, ids=[text for _, text, _ in FIELD])
def test_each_answer_means_what_it_meant_to_its_sender(step: Step, text: str, consequence: type[SendError]) -> None:
    assert type(judge(step, a_reply(text), recipient="x@example.net")) is consequence


@given(st.sampled_from([Step.MAIL, Step.RCPT, Step.DATA, Step.BODY]), st.integers(400, 599), st.binary(max_size=80))
def test_every_refusal_has_a_consequence_and_a_short_detail_without_the_address(
    step: Step, code: int, text: bytes
) -> None:
    verdict = judge(
        step, Reply(code, (text + b" anna.svensson@example.net Anna.Svensson",)), recipient="anna.svensson@example.net"
    )

    assert len(verdict.detail) <= 500
    assert "anna" not in verdict.detail.lower()
    assert code >= 500 or isinstance(verdict, TryLater)


def feed_in_pieces(stream: bytes, cuts: list[int]) -> tuple[list[Reply], str]:
    reader, replies, start = ReplyReader(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        replies += reader.feed(stream[start : max(cut, start)])
        start = max(cut, start)
    return replies, reader.garbled


TEXT = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
REPLIES = st.lists(
    st.builds(Reply, st.integers(200, 599), st.lists(TEXT, min_size=1, max_size=5).map(tuple)), max_size=6
)


@given(REPLIES, st.lists(st.integers(0, 2000)), st.sampled_from([b"\r\n", b"\n"]))
def test_replies_come_out_as_they_went_in_however_the_network_cuts_them(
    replies: list[Reply], cuts: list[int], end: bytes
) -> None:
    stream = b"".join(
        b"%d%b%b%b" % (reply.code, b" " if line is reply.lines[-1] and n == len(reply.lines) - 1 else b"-", line, end)
        for reply in replies
        for n, line in enumerate(reply.lines)
    )

    assert feed_in_pieces(stream, cuts) == (replies, "")


def test_an_answer_is_none_before_its_line_has_ended() -> None:
    reader = ReplyReader()

    assert reader.feed(b"250 ok\r\n250 o") == [Reply(250, (b"ok",))]
    assert not reader.feed(b"k")
    assert list(reader.feed(b"\r\n354 go\r\n")) == [Reply(250, (b"ok",)), Reply(354, (b"go",))]
    assert not reader.feed(b"250 ok")
    assert not reader.between


@given(st.binary(max_size=300))
def test_no_bytes_at_all_upset_the_reader(stream: bytes) -> None:
    replies, _ = feed_in_pieces(stream, [])

    for reply in replies:
        assert 200 <= reply.code <= 599
        assert reply.text.isprintable() or "\n" not in reply.text
        assert reply.enhanced == "" or reply.enhanced.count(".") == 2


@pytest.mark.parametrize(
    "stream",
    [
        b"hello\r\n",
        b"250\0 x\r\n",
        b"99 x\r\n",
        b"250-a\r\n550 b\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"x" * (LONGEST_LINE + 1),
        b"250-x\r\n" * (MOST_LINES + 1),
    ],
)
def test_what_is_no_reply_is_named_and_ends_the_reading(stream: bytes) -> None:
    reader = ReplyReader()

    assert [reply.code for reply in reader.feed(b"220 ok\r\n" + stream)] == [220]
    assert reader.garbled
    assert reader.feed(b"250 ok\r\n") == []


def test_offers_are_read_in_any_case_and_nonsense_is_passed_over() -> None:
    lines = (b"mx.example.org", b"pipelining", b"SIZE 35882577", b"AUTH=LOGIN", b"auth plain", b"DSN", b"\xff\xff", b"")

    assert read_offers(lines) == Offers(pipelining=True, size=35882577, dsn=True, logins=frozenset({"LOGIN", "PLAIN"}))
    assert read_offers((b"mx", b"SIZE many")) == Offers()


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("4.7.1 Greylisted, please try again in 300 seconds", 300),
        ("4.2.0 Recipient greylisted for 5 minutes", 300),
        ("4.3.2 Please retry after 2 hours.", 7200),
        ("deferred for 60s", 60),
        ("4.7.0 too many connections, try again later", None),
        ("4.2.2 try the mailbox of 12 minutes in vain", None),
    ],
)
def test_a_server_that_says_when_to_come_again_is_heeded(words: str, seconds: int | None):
    verdict = judge(Step.RCPT, Reply(450, (words.encode(),)))

    assert isinstance(verdict, TryLater)
    assert verdict.retry_after == (None if seconds is None else timedelta(seconds=seconds))
