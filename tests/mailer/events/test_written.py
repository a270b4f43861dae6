from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import Mistake
from mailer.events.details import Details, Shift, Step
from mailer.events.moments import zone_names
from mailer.events.written import as_written, from_pairs, merged, read_file, read_table
from mailer.message.characters import lines, one_line
from mailer.resources import resource
from tests.mailer.events.saying import ZONE, a_rally, a_shift, a_step

MINIMAL = {"title": "Möte", "starts": "2027-05-01 13:00", "ends": "2027-05-01 14:00"}


def test_the_examples_are_a_rally_in_steps_and_a_summer_of_shifts():
    events, faults = read_file((resource("examples") / "evenemang.toml").read_bytes(), ZONE)

    rally, _, summer = (said.details for said in events)
    assert faults == []
    assert [(step.at.hour, step.what, step.place) for step in rally.route] == [
        (11, "Samling och musik", "Norra Bantorget"),
        (12, "Marsch längs Kungsgatan", "Norra Bantorget"),
        (13, "Tal", "Kungsträdgården"),
    ]
    assert rally.starts_at == datetime(2027, 5, 1, 11, tzinfo=UTC)
    assert summer.all_day
    assert summer.ends_at == datetime(2027, 7, 31, 22, tzinfo=UTC)
    assert {shift.starts_at.month for shift in summer.shifts} == {7}
    assert summer.shifts[1] == Shift(
        datetime(2027, 7, 3, 12, tzinfo=UTC), datetime(2027, 7, 3, 14, tzinfo=UTC), "Skärholmstorget", 4
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", ""),
        ("starts", "first of May"),
        ("starts", "2027-05-01T13:00:00+02:00"),
        ("starts", "2027-05-01"),  # a day, and an hour in the other
        ("ends", "2027-05-01 12:00"),
        ("starts", "2027-03-28 02:30"),  # summer time begins: the hour is left out
        ("zone", "Stockholm"),
        ("map", "javascript:alert(1)"),
        ("map", "https://someone:secret@example.org/"),
        ("capacity", 0),
        ("route", ["Samling 13:00"]),
        ("route", ["2027-02-30 13:00 Samling"]),
        ("shifts", ["14:00-16:00 @ Torget"]),
        ("shifts", ["14:00-16:00 @ Torget: 0"]),
        ("shifts", ["14:00-16:00 @ Torget: 1; 16:00-18:00 @ Torget: 1"]),  # two in one
        ("place", "x" * 201),
        ("places", "Torget"),
    ],
)
def test_what_cannot_be_understood_is_a_mistake_that_names_the_key(key: str, value: object):
    with pytest.raises(Mistake, match=r"starts|ends" if key in {"starts", "ends"} else key):
        read_table("mote", MINIMAL | {key: value}, ZONE)


def test_an_event_that_is_wrong_stops_no_other_in_the_file():
    content = """
        [mote]
        title = "Möte"
        starts = 2027-05-01T13:00:00
        ends = 2027-05-01T14:00:00
        [utan-slut]
        title = "Utan slut"
        starts = "2027-05-01 13:00"
        ["Nej tack"]
    """
    events, faults = read_file(content.encode(), ZONE)

    assert [said.key for said in events] == ["mote"]
    assert [fault.event for fault in faults] == ["utan-slut", "Nej tack"]


@pytest.mark.parametrize("content", [b"[a", b"\xff\xfe", b"[" * 5000, b"<html>"])
def test_what_is_no_file_of_events_is_a_mistake(content: bytes):
    with pytest.raises(Mistake):
        read_file(content, ZONE)


def test_the_first_of_two_same_hours_is_meant_when_summer_time_ends():
    said = read_table("a", MINIMAL | {"starts": "2027-10-31 02:30", "ends": "2027-10-31 03:30"}, ZONE)

    assert said.details.ends_at - said.details.starts_at == timedelta(hours=2)


def test_a_shift_over_midnight_ends_the_next_day():
    [shift] = read_table("a", MINIMAL | {"shifts": ["22:00-01:00 @ Kajen: 2"]}, ZONE).details.shifts

    assert shift.ends_at - shift.starts_at == timedelta(hours=3)


def test_a_command_says_keys_as_a_file_does():
    table = from_pairs(
        ["place=A=B", "route=13:00 Samling", "route=14:00 Tal @ Torget", "districts=bromma, jarva", "text="]
    )

    assert table == {
        "place": "A=B",
        "route": ["13:00 Samling", "14:00 Tal @ Torget"],
        "districts": ["bromma", "jarva"],
        "text": None,
    }


@pytest.mark.parametrize("pair", ["place", "=x", "plats=Torget", ""])
def test_what_is_no_key_and_value_is_a_mistake(pair: str):
    with pytest.raises(Mistake, match="KEY=VALUE"):
        from_pairs([pair])


def test_a_key_is_said_once():
    with pytest.raises(Mistake, match="twice"):
        from_pairs(["place=A", "place=B"])


def test_what_is_said_anew_replaces_what_was_and_an_empty_value_takes_away():
    rally = a_rally(capacity=40, route=(a_step(11),), shifts=(a_shift(),), access="Ramp")

    changed = merged(rally, from_pairs(["place=Sergels torg", "capacity=", "access="]), "own").details

    assert changed == replace(rally, place="Sergels torg", capacity=None, access="")


words = st.text(max_size=40).map(one_line)
hours = st.integers(0, 2_000_000).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@given(words.filter(bool), words, st.text(max_size=80), hours, st.sampled_from(sorted(zone_names())))
def test_whatever_is_written_back_is_read_as_the_same(title: str, place: str, text: str, at: datetime, zone: str):
    details = Details(title, at, at + timedelta(hours=30), zone, text=lines(text).strip(), place=place)

    again = read_table("a", as_written(details), zone).details

    # Of an hour that the clocks show twice the first one is read.
    assert replace(again, starts_at=at, ends_at=details.ends_at) == details
    assert at - again.starts_at in (timedelta(), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2))


def test_route_and_shifts_are_written_back_with_their_dates():
    rally = a_rally(route=(Step(datetime(2027, 5, 2, 8, tzinfo=UTC), "Frukost", ""),), shifts=(a_shift(),))

    written = as_written(rally)

    assert written["route"] == ["2027-05-02 10:00 Frukost"]
    assert written["shifts"] == ["2027-05-01 14:00-16:00 @ Torget: 4"]
    assert read_table("a", written, ZONE).details == rally
