"""What is written is read back by the same library, and by ical.js in test_calendar_elsewhere.py."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from mailer.events.calendar_reading import read_calendar
from mailer.events.calendar_writing import Entry, Publisher, write_feed, write_one
from mailer.message.characters import lines, one_line
from tests.mailer.events.saying import ZONE, a_rally, a_step

PUBLISHER = Publisher("Exempelpartiet; Stockholm", "kontakt@nyhet.example.org")
CHANGED = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


def an_entry(**values: object) -> Entry:
    known = {
        "uid": "forsta-maj-2027@nyhet.example.org",
        "sequence": 3,
        "created_at": CHANGED - timedelta(days=9),
        "changed_at": CHANGED,
        "cancelled": False,
        "page": "https://nyhet.example.org/e/1",
        "details": a_rally(),
    }
    return Entry(**(known | values))  # type: ignore[arg-type]  # values are the test's own


def test_an_event_is_published_with_its_uid_its_count_of_changes_and_its_clock():
    calendar = Calendar.from_ical(write_one(an_entry(), PUBLISHER, "sv"))

    [event] = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "PUBLISH"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("forsta-maj-2027@nyhet.example.org", 3, "CONFIRMED")
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == CHANGED
    assert event["DTSTART"].params["TZID"] == ZONE
    assert event["DTSTART"].dt == datetime(2027, 5, 1, 13, tzinfo=ZoneInfo(ZONE))
    assert event["DTEND"].dt == datetime(2027, 5, 1, 16, tzinfo=ZoneInfo(ZONE))
    assert event["ORGANIZER"] == "mailto:kontakt@nyhet.example.org"
    assert event["ORGANIZER"].params["CN"] == "Exempelpartiet; Stockholm"
    assert event["URL"] == "https://nyhet.example.org/e/1"
    assert "ATTENDEE" not in event  # RFC 5546 3.2.1: not in a PUBLISH


def test_the_time_zone_is_told_with_both_its_clocks():
    winter = a_rally(starts_at=datetime(2027, 12, 10, 17, tzinfo=UTC), ends_at=datetime(2027, 12, 10, 19, tzinfo=UTC))

    calendar = Calendar.from_ical(
        write_feed([an_entry(), an_entry(uid="2", details=winter)], PUBLISHER, "sv", name="x")
    )

    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == ZONE
    clock = zone.to_tz(lookup_tzid=False)  # what stands in the file, not what this machine knows
    for day in (date(2027, 5, 1), date(2027, 12, 10), date(2027, 3, 28), date(2027, 10, 31)):
        noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001  # a clock's hand
        assert noon.replace(tzinfo=clock).utcoffset() == noon.replace(tzinfo=ZoneInfo(ZONE)).utcoffset(), day


def test_what_is_called_off_is_cancelled_in_its_file_and_marked_so_in_a_feed():
    entry = an_entry(cancelled=True, sequence=4)

    file = Calendar.from_ical(write_one(entry, PUBLISHER, "sv"))
    feed = Calendar.from_ical(write_feed([entry], PUBLISHER, "sv", name="Bromma"))

    assert (file["METHOD"], feed["METHOD"]) == ("CANCEL", "PUBLISH")
    for calendar in (file, feed):
        [event] = calendar.walk("VEVENT")
        assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 4)
    assert feed["NAME"] == feed["X-WR-CALNAME"] == "Bromma"
    assert feed["REFRESH-INTERVAL"].dt == timedelta(hours=1)


def test_whole_days_have_no_clock():
    days = a_rally(
        all_day=True, starts_at=datetime(2027, 6, 30, 22, tzinfo=UTC), ends_at=datetime(2027, 7, 31, 22, tzinfo=UTC)
    )

    calendar = Calendar.from_ical(write_one(an_entry(details=days), PUBLISHER, "sv"))

    [event] = calendar.walk("VEVENT")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2027, 7, 1), date(2027, 8, 1))
    assert not calendar.walk("VTIMEZONE")


def test_the_way_and_the_notes_stand_in_the_description_in_the_readers_language():
    details = a_rally(route=(a_step(11), a_step(13, "Tal", "Kungsträdgården")), rain_plan="Vi går ändå.", text="Kom!")

    english, swedish = (
        Calendar.from_ical(write_one(an_entry(details=details), PUBLISHER, language)).walk("VEVENT")[0]["DESCRIPTION"]
        for language in ("en", "sv")
    )

    assert english == (
        "Kom!\n\n13:00 Samling, Norra Bantorget\n15:00 Tal, Kungsträdgården\n\nIf it rains: Vi går ändå."
    )
    assert swedish.endswith("Om det regnar: Vi går ändå.")


def test_lines_are_folded_at_75_octets_and_end_as_they_should():
    content = write_one(an_entry(details=a_rally(text="Åäö, och; \\ mer. " * 200)), PUBLISHER, "sv")

    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


@given(title=st.text(max_size=60), place=st.text(max_size=60), text=st.text(max_size=200))
def test_no_text_breaks_out_of_its_line(title: str, place: str, text: str):
    details = a_rally(title=one_line(title).strip() or "x", place=one_line(place).strip(), text=lines(text).strip())

    content = write_one(an_entry(details=details), PUBLISHER, "sv")

    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert event["SUMMARY"] == details.title
    [said], faults = read_calendar(content, ZONE)
    assert not faults
    assert (said.details.title, said.details.place) == (details.title, details.place)
    assert said.details.starts_at == details.starts_at


@pytest.mark.parametrize("year", [1900, 9998])
def test_a_year_that_nobody_lives_to_see_makes_no_endless_time_zone(year: int):
    details = a_rally(starts_at=datetime(year, 5, 1, tzinfo=UTC), ends_at=datetime(year, 5, 2, tzinfo=UTC))

    assert len(write_one(an_entry(details=details), PUBLISHER, "sv")) < 20_000


def test_the_same_event_is_written_the_same_until_it_is_changed():
    entry = an_entry()

    assert write_one(entry, PUBLISHER, "sv") == write_one(entry, PUBLISHER, "sv")
    assert write_one(entry, PUBLISHER, "sv") != write_one(replace(entry, sequence=4), PUBLISHER, "sv")
