"""What a mail is, and whom it is about: that is said by our own token alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.feedback.causes import Cause
from mailer.feedback.sorting import Sorted, What, sort
from mailer.links import Claim, Purpose, Tokens
from tests.mailer.feedback import returned
from tests.mailer.feedback.returned import TOKENS, a_bounce, a_complaint

ANNA = Claim(Purpose.MESSAGE, 7, 3)
HERS, LETTER = returned.address(7, 3), returned.message_id(7, 3)


def sorted_as(octets: bytes) -> tuple[What, Claim | None]:
    found = sort(octets, TOKENS)
    return found.what, found.claim


@pytest.mark.parametrize(
    "mail",
    [
        a_bounce(HERS),
        a_bounce(HERS.upper()),
        b"Delivered-To: " + HERS.encode() + b"\r\n" + a_bounce(),
        b"X-Original-To: <" + HERS.encode() + b">\n" + a_bounce(),
        a_bounce(about=LETTER),
        a_bounce(about=LETTER).replace(b"\n", b"\r"),
    ],
)
def test_a_bounce_is_about_the_letter_that_our_token_names(mail: bytes):
    found = sort(mail, TOKENS)

    assert (found.what, found.claim) == (What.BOUNCE, ANNA)
    assert found.report is not None
    assert found.report.cause is Cause.UNKNOWN_USER
    assert "anna" not in found.report.words


@pytest.mark.parametrize("to", [HERS, "lamna@nyhet.example.org"])
def test_what_a_calendar_program_answers_is_a_persons_mail_and_changes_nothing(to: str):
    reply = (
        f"To: {to}\r\nFrom: anna@example.net\r\nSubject: Declined: {TOKENS.make(Purpose.ANSWER, 7, 3)}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n"
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:1@nyhet.example.org\r\n"
        "ATTENDEE;PARTSTAT=DECLINED:mailto:anna@example.net\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    assert sorted_as(reply.encode()) == (What.PERSON, None)


def test_the_address_it_was_sent_to_outranks_what_it_quotes():
    assert sorted_as(a_bounce(HERS, about=returned.message_id(8, 3))) == (What.BOUNCE, ANNA)


@pytest.mark.parametrize(
    "mail",
    [
        a_bounce(),
        a_bounce("anna@example.net"),
        a_bounce(HERS.replace("b-", "c-")),
        a_bounce(("a" if HERS[5] != "a" else "b").join((HERS[:5], HERS[6:]))),
        a_bounce(about=TOKENS.make(Purpose.UNSUBSCRIBE, 7, 3) + "@example.org"),
        a_bounce(Tokens({"a": b"x" * 32}, "a").make_return(7, 3) + "@studs.example.org"),
        a_complaint(),
    ],
)
def test_without_a_token_of_ours_it_is_a_stray_about_nobody(mail: bytes):
    assert sort(mail, TOKENS) == Sorted(What.STRAY)


def test_a_delay_is_no_bounce_and_one_address_of_several_is_not_all_of_them():
    assert sorted_as(a_bounce(HERS, action="delayed", status="4.4.1")) == (What.NOTICE, ANNA)
    one_of_two = a_bounce(HERS).replace(
        b"\nFinal-Recipient:",
        b"\nFinal-Recipient: rfc822; bo@example.net\nAction: relayed\nStatus: 2.1.5\n\nFinal-Recipient:",
    )
    assert one_of_two != a_bounce(HERS)
    assert sorted_as(one_of_two) == (What.NOTICE, ANNA)


@pytest.mark.parametrize(
    ("mail", "what"),
    [
        (a_complaint(about=LETTER), What.COMPLAINT),
        (a_complaint(HERS), What.COMPLAINT),
        (a_complaint(about=LETTER, kind="fraud"), What.COMPLAINT),
        (a_complaint(about=LETTER, kind="not-spam"), What.NOTICE),
        (a_complaint(about=LETTER, kind="auth-failure"), What.NOTICE),
        (returned.an_auto_reply(HERS), What.AUTO_REPLY),
    ],
)
def test_complaints_and_automatic_replies_are_told_apart(mail: bytes, what: What):
    assert sorted_as(mail) == (what, ANNA)


def test_a_persons_mail_is_theirs_whatever_it_quotes_and_wherever_it_was_sent():
    for mail in (returned.a_reply(), returned.a_reply(HERS)):
        found = sort(mail, TOKENS)
        assert found.what is What.PERSON
        assert not found.is_ours


def test_only_what_is_about_a_letter_of_ours_is_ours():
    assert sort(a_bounce(HERS), TOKENS).is_ours
    assert sort(returned.an_unsubscription(7, 3), TOKENS).is_ours
    assert not sort(a_bounce(), TOKENS).is_ours
    assert not sort(returned.an_auto_reply(), TOKENS).is_ours


def test_an_unsubscription_needs_its_token():
    assert sorted_as(returned.an_unsubscription(7, 3)) == (What.UNSUBSCRIBE, Claim(Purpose.UNSUBSCRIBE, 7, 3))
    assert sorted_as(b"Subject: unsubscribe\r\n\r\n") == (What.PERSON, None)


@given(st.binary(max_size=2000))
def test_no_bytes_break_it_and_none_are_about_anybody(octets: bytes):
    assert sort(octets, TOKENS).claim is None


@given(st.data())
def test_a_report_torn_anywhere_names_its_letter_or_nobody(data: st.DataObject):
    mail = a_bounce(HERS, about=LETTER)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(mail))] * 2)))
    torn = mail[:start] + data.draw(st.binary(max_size=20)) + mail[end:]

    assert sort(torn, TOKENS).claim in (ANNA, None)
