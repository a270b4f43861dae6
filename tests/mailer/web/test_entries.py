"""A calendar entry by mail for whoever says yes, as their program reads it: it follows the event, goes with a no."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from mailer.events import entries
from mailer.events.attendance import Answer
from mailer.events.models import Rsvp
from mailer.jobs.places import keep_places
from mailer.jobs.reminders import keep_reminders
from mailer.outbox.models import Variant
from subscribers.models import Member
from tests.mailer.events.saying import a_shift
from tests.mailer.events.test_calendar_elsewhere import can_read, read
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import delivered, edit, given, say, told
from tests.mailer.web.test_calendar import hold
from tests.mailer.web.test_shifting import do

# From midnight to midnight in Stockholm.
DAYS: dict[str, Any] = {
    "starts_at": datetime(2027, 4, 30, 22, tzinfo=UTC),
    "ends_at": datetime(2027, 5, 2, 22, tzinfo=UTC),
}


def entry_in(mail: EmailMessage) -> tuple[str, Any]:
    """Return METHOD and the one VEVENT of a mail, which its form and its file have alike."""
    [form] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    [file] = mail.iter_attachments()
    content = form.get_payload(decode=True)
    assert content == file.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert file.get_filename() == "invite.ics"
    calendar = Calendar.from_ical(content)
    assert form.get_param("method") == calendar["METHOD"]
    [event] = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


def tick(site: Site) -> list[EmailMessage]:
    """Let the clock look, send what it posted, and return the new mails."""
    keep_places(site.app, site.watch())
    before = set(site.app.data.rglob("new/*"))
    mails = delivered(site)
    files = sorted(path for path in site.app.data.rglob("new/*") if path.is_file())
    return [mail for path, mail in zip(files, mails, strict=True) if path not in before]


def test_who_says_yes_gets_an_entry_for_their_calendar_that_names_only_them(site: Site):
    event = hold(site)

    page = say(site, event, "yes", CECILIA).text
    [mail] = tick(site)

    assert "A letter puts it into your calendar." in page
    assert mail["Subject"] == "You are coming: Första maj"
    assert [part.get_content_type() for part in mail.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics")
    ]
    method, entry = entry_in(mail)
    public = Calendar.from_ical(site.client.get(f"/e/{event}.ics").content)
    assert (method, public["METHOD"]) == ("REQUEST", "PUBLISH")
    assert (entry["UID"], entry["SEQUENCE"]) == (public.walk("VEVENT")[0]["UID"], 0)
    assert entry["ATTENDEE"] == "mailto:cecilia@example.org"
    assert dict(entry["ATTENDEE"].params) == {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert entry["ORGANIZER"] == public.walk("VEVENT")[0]["ORGANIZER"]
    assert entry["TRANSP"] == "OPAQUE"
    assert tick(site) == []


def test_who_reads_plain_text_alone_gets_it_too(site: Site):
    event = hold(site)
    with site.app.writing() as session:
        session.get_one(Member, CECILIA).plain_only = True

    say(site, event, "yes", CECILIA)
    [mail] = tick(site)

    assert mail.get_body(("html",)) is None
    assert entry_in(mail)[0] == "REQUEST"


def test_a_no_takes_it_out_and_another_yes_puts_it_back_and_sequence_only_grows(site: Site):
    event = hold(site)
    found = []
    for choice in ("yes", "maybe", "yes", "no"):
        say(site, event, choice, CECILIA)
        found += [entry_in(mail) for mail in tick(site)]

    assert [(method, entry["SEQUENCE"], entry["STATUS"]) for method, entry in found] == [
        ("REQUEST", 0, "CONFIRMED"),
        ("CANCEL", 1, "CANCELLED"),
        ("REQUEST", 2, "CONFIRMED"),
        ("CANCEL", 3, "CANCELLED"),
    ]
    assert len({entry["UID"] for _, entry in found}) == 1
    assert [entry["ATTENDEE"].params["PARTSTAT"] for _, entry in found] == ["ACCEPTED", "DECLINED"] * 2


def test_who_changes_their_mind_within_the_minute_gets_no_letter_and_who_plays_with_a_link_no_flood(site: Site):
    event = hold(site)
    for choice in ("yes", "no"):
        say(site, event, choice, CECILIA)
    assert tick(site) == []

    for _ in range(entries.MOST):
        for choice in ("yes", "no"):
            say(site, event, choice, CECILIA)
            keep_places(site.app, site.watch())

    assert len(told(site, "coming")) == entries.MOST + 1


def test_what_changes_is_told_in_one_letter_that_changes_the_calendar_and_a_cancellation_empties_it(site: Site):
    event = hold(site)
    say(site, event, "yes", CECILIA)
    tick(site)

    edit(site, event, place="Humlegården")
    site.watch.at += site.app.settings.events.quiet
    [changed] = tick(site)
    edit(site, event, cancelled=True)
    site.watch.at += site.app.settings.events.quiet
    [called_off] = tick(site)

    assert changed["Subject"] == "Changed: Första maj"
    method, entry = entry_in(changed)
    assert (method, entry["SEQUENCE"], entry["LOCATION"]) == ("REQUEST", 1, "Humlegården")
    method, entry = entry_in(called_off)
    assert (method, entry["SEQUENCE"], entry["STATUS"]) == ("CANCEL", 2, "CANCELLED")
    assert tick(site) == []


def test_who_reads_the_publication_of_events_is_told_once_by_the_letter_with_the_entry(site: Site):
    on = site.app.settings.events.model_copy(update={"publication": "weekly"})
    site.app.settings = site.app.settings.model_copy(update={"events": on})
    event = hold(site)
    say(site, event, "yes", CECILIA)
    say(site, event, "maybe", ANNA)
    tick(site)

    edit(site, event, place="Humlegården")
    site.watch.at += site.app.settings.events.quiet
    keep_reminders(site.app, site.watch())
    keep_places(site.app, site.watch())

    assert told(site, "changed") == [ANNA]
    assert told(site, "answered") == [CECILIA]


def test_a_place_that_became_free_comes_with_the_entry(site: Site):
    event = hold(site, capacity=1)
    say(site, event, "yes", ANNA)
    say(site, event, "yes", CECILIA)
    assert [mail["To"].addresses[0].addr_spec for mail in tick(site)] == ["paret@example.org"]  # who waits has none

    say(site, event, "no", ANNA)
    mails = {mail["Subject"]: entry_in(mail)[0] for mail in tick(site)}

    assert mails == {"You have a place: Första maj": "REQUEST", "Ur din kalender: Första maj": "CANCEL"}


def test_two_who_share_an_address_share_the_entry_which_goes_with_the_last(site: Site):
    event = hold(site)
    found = []
    for member, choice in ((ANNA, "yes"), (BO, "yes"), (ANNA, "no"), (BO, "no"), (ANNA, "yes")):
        say(site, event, choice, member)
        found.append([(method, entry["SEQUENCE"]) for method, entry in map(entry_in, tick(site))])

    assert found == [[("REQUEST", 0)], [("REQUEST", 1)], [], [("CANCEL", 2)], [("REQUEST", 3)]]


def test_who_takes_a_shift_of_something_that_goes_on_for_days_has_no_use_for_the_days(site: Site):
    event = hold(site, all_day=True, **DAYS, shifts=(a_shift(10),))
    do(site, event, "take", a_shift(10), CECILIA)

    assert given(site, event)[CECILIA].answer is Answer.YES
    assert [mail["Subject"] for mail in tick(site)] == []

    edit(site, event, place="Humlegården")
    site.watch.at += site.app.settings.events.quiet
    [changed] = tick(site)
    assert changed["Subject"] == "Changed: Första maj"
    assert "text/calendar" not in [part.get_content_type() for part in changed.walk()]


def test_who_has_the_days_in_their_calendar_gets_them_out_by_a_no_although_it_has_shifts_by_now(site: Site):
    event = hold(site, all_day=True, **DAYS)
    say(site, event, "yes", CECILIA)
    tick(site)
    edit(site, event, shifts=["2027-05-01 13:00-15:00 @ Torget: 1"])

    say(site, event, "no", CECILIA)

    assert [entry_in(mail)[0] for mail in tick(site)] == ["CANCEL"]


def test_no_table_holds_the_address_and_what_was_told_goes_with_the_answers(site: Site):
    event = hold(site)
    say(site, event, "yes", CECILIA)
    tick(site)

    with site.app.reading() as session:
        contents = session.scalars(sa.select(Variant.content)).all()  # type: ignore[call-overload]  # a column
        row = session.get_one(Rsvp, (event, CECILIA))

    assert any("BEGIN:VEVENT" in content for content in contents)
    assert not any("cecilia@" in content for content in contents)
    assert (row.in_calendar, row.entry_due, row.entry_sequence) == (True, False, 0)


@can_read
@pytest.mark.parametrize("choice", ["yes", "no"])
def test_another_program_reads_the_same_in_the_mail(site: Site, choice: str):
    event = hold(site)
    say(site, event, "yes", CECILIA)
    mails = tick(site)
    if choice == "no":
        say(site, event, choice, CECILIA)
        mails = tick(site)

    [form] = [part for part in mails[0].walk() if part.get_content_type() == "text/calendar"]
    content = form.get_payload(decode=True)
    assert isinstance(content, bytes)
    found = read(content)

    assert found["method"] == ("REQUEST" if choice == "yes" else "CANCEL")
    [one] = found["events"]
    assert (one["attendees"], one["zone"], one["summary"]) == (1, "Europe/Stockholm", "Första maj")
