"""A calendar entry inside a letter, as the standard library and another calendar reader take it out again."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import unquote

import pytest
from icalendar import Calendar

from mailer.message.headers import Refused
from mailer.message.invitation import Invitation, calendar_address
from mailer.message.skeleton import plain, with_invitation
from mailer.message.slots import Slot

TEXT = "\r\n".join(
    (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1"),
        *("DTSTAMP:20261128T093000Z", "DTSTART:20270501T110000Z", "SUMMARY:Första maj ATTENDEE:mailto:x@example.org"),
        *("ATTENDEE;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:somebody@example.invalid", "SEQUENCE:3", "END:VEVENT"),
        *("END:VCALENDAR", ""),
    )
)
ENTRY = Invitation("REQUEST", TEXT)
HEAD = [b"To: <", Slot("to_address", lambda value: value.encode()), b">\r\nSubject: x\r\n"]


def entry_for(address: str, html: list[str] | None) -> tuple[bytes, EmailMessage]:
    content = with_invitation(HEAD, text=["Hej!\n"], html=html, invited=ENTRY).compose({"to_address": address})
    mail = message_from_bytes(content, EmailMessage, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return content, mail


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org",
        "anna.andersson+maj@nyhet.example.org",
        "x" * 64 + "@" + ".".join(["y" * 50] * 3) + ".example",
        "o'hara!=~/{x}@example.org",
        "åsa@xn--malm-8qa.se",
    ],
)
def test_the_entry_is_its_readers_own_and_every_line_fits(address: str):
    content, mail = entry_for(address, ["<p>Hej!</p>"])

    [form] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    octets = form.get_payload(decode=True)
    assert isinstance(octets, bytes)
    [event] = Calendar.from_ical(octets).walk("VEVENT")
    assert unquote(event["ATTENDEE"]) == f"mailto:{address}"
    assert event["SUMMARY"] == "Första maj ATTENDEE:mailto:x@example.org"
    assert max(map(len, octets.split(b"\r\n"))) <= 75
    body = content.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_the_same_entry_is_there_as_a_form_of_the_letter_and_as_a_file():
    _, mail = entry_for("a@example.org", None)

    assert [part.get_content_type() for part in mail.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/calendar", "application/ics")
    ]
    form, file = [part for part in mail.walk() if part.get_content_type() in {"text/calendar", "application/ics"}]
    assert form.get_param("method") == "REQUEST"
    assert form.get_payload(decode=True) == file.get_payload(decode=True)
    assert file.get_filename() == "invite.ics"


def test_an_address_that_is_none_is_refused_and_so_is_an_entry_for_many_or_nobody():
    for hostile in ("a@example.org\r\nATTENDEE:mailto:b@example.org", "a b@example.org", ""):
        with pytest.raises(Refused):
            calendar_address(hostile)
    for text in (TEXT + TEXT, TEXT.replace("ATTENDEE;", "X-ATTENDEE;")):
        with pytest.raises(ValueError, match="for one"):
            Invitation("REQUEST", text).pieces()


def test_a_letter_without_an_entry_has_none():
    assert b"calendar" not in plain(HEAD, text=["Hej!\n"]).compose({"to_address": "a@example.org"})
