"""Other people's calendars."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import Mistake
from mailer.events.calendar_reading import looks_like_calendar, read_calendar
from mailer.events.wording import when
from mailer.events.written import merged
from tests.mailer.events.saying import ZONE


def a_calendar(*lines: str) -> bytes:
    event = ("BEGIN:VEVENT", "UID:1@example.org", "DTSTAMP:20270101T000000Z", "SUMMARY:Möte", *lines, "END:VEVENT")
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y", *event, "END:VCALENDAR", "")).encode()


def test_an_event_comes_with_its_uid_sequence_and_what_is_said_of_it():
    [said], faults = read_calendar(
        a_calendar(
            "DTSTART;TZID=Europe/Stockholm:20270501T130000",
            "DURATION:PT2H",
            "LOCATION:Norra Bantorget\\, scenen",
            "DESCRIPTION:Rad ett\\nRad två",
            "URL:https://example.org/mote",
            "SEQUENCE:3",
            "STATUS:CANCELLED",
        ),
        "Europe/Helsinki",
    )

    details = said.details
    assert faults == []
    assert (said.key, said.uid, said.sequence, said.cancelled) == ("1@example.org", "1@example.org", 3, True)
    assert (details.starts_at, details.ends_at) == (
        datetime(2027, 5, 1, 11, tzinfo=UTC),
        datetime(2027, 5, 1, 13, tzinfo=UTC),
    )
    assert (details.zone, details.place, details.text) == (ZONE, "Norra Bantorget, scenen", "Rad ett\nRad två")
    assert details.url == "https://example.org/mote"


def test_hours_without_a_zone_are_of_the_site_and_whole_days_end_at_midnight():
    [floating], _ = read_calendar(a_calendar("DTSTART:20270501T130000", "DTEND:20270501T140000"), ZONE)
    [whole], _ = read_calendar(a_calendar("DTSTART;VALUE=DATE:20270701"), ZONE)

    assert floating.details.starts_at == datetime(2027, 5, 1, 11, tzinfo=UTC)
    assert whole.details.all_day
    assert whole.details.ends_at == datetime(2027, 7, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("RRULE:FREQ=WEEKLY", "recurs"),
        ("DTEND:20270501T120000", "ends before"),
        ("DTEND;VALUE=DATE:20270502", "time is not understood"),
    ],
)
def test_an_event_that_cannot_be_taken_says_why(line: str, reason: str):
    events, [fault] = read_calendar(a_calendar("DTSTART:20270501T130000", line), ZONE)

    assert events == []
    assert reason in str(fault.why)


def test_a_link_that_is_no_web_address_and_what_plays_with_a_terminal_is_left_out():
    [said], _ = read_calendar(
        a_calendar("DTSTART:20270501T130000Z", "URL:javascript:alert(1)", "LOCATION:\u202etorg\x1b[31m"), ZONE
    )

    assert (said.details.url, said.details.place) == ("", "torg[31m")


@pytest.mark.parametrize("length", ["DTEND;VALUE=DATE:20270701", "DURATION:PT0S"])
def test_a_whole_day_without_a_length_is_that_day(length: str):
    [said], faults = read_calendar(a_calendar("DTSTART;VALUE=DATE:20270701", length), ZONE)

    assert faults == []
    assert when(said.details, "en") == "Thursday, July 1, 2027"
    assert merged(said.details, {"place": "Torget"}, "own").details.ends_at == said.details.ends_at


@pytest.mark.parametrize(
    "link", ["http://[::1", "http://a b.example.org/", "https://example.org:99999/", "https://kim:x@example.org/"]
)
def test_a_link_that_nobody_could_write_neither_stops_an_event_nor_its_editing(link: str):
    [said], faults = read_calendar(a_calendar("DTSTART:20270501T130000Z", f"URL:{link}"), ZONE)

    assert (said.details.url, faults) == ("", [])
    assert merged(said.details, {"place": "Torget"}, "own").details.place == "Torget"


@pytest.mark.parametrize("content", [b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nnonsense", b"BEGIN:VCALENDAR"])
def test_what_is_no_calendar_is_a_mistake(content: bytes):
    with pytest.raises(Mistake):
        read_calendar(content, ZONE)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes):
    assert not looks_like_calendar(b"[" + content)
    with suppress(Mistake):
        read_calendar(a_calendar("DTSTART:20270501T130000Z").replace(b"SUMMARY:M", b"SUMMARY:" + content), ZONE)
