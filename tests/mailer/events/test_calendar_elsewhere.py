"""Our calendars as another program reads them: ical.js, which Thunderbird has, in node, as its lock file pins it."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailer.events.calendar_writing import write_feed, write_one
from mailer.events.written import read_file
from mailer.resources import resource
from tests.mailer.events.saying import ZONE, a_rally
from tests.mailer.events.test_calendar_writing import CHANGED, PUBLISHER, an_entry

READER = Path(__file__).with_name("icaljs")
NODE = shutil.which("node")
can_read = pytest.mark.skipif(
    NODE is None or not (READER / "node_modules" / "ical.js").is_dir(), reason="`make test` installs ical.js with npm"
)
pytestmark = can_read


def read(content: bytes) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603  # our own script
        [str(NODE), "read.mjs"], input=content, capture_output=True, cwd=READER, check=True, timeout=60
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def test_every_example_is_read_with_its_hours_by_the_time_zone_of_the_file():
    said, faults = read_file((resource("examples") / "evenemang.toml").read_bytes(), ZONE)
    assert not faults
    entries = [an_entry(uid=f"{one.key}@example.org", sequence=7, details=one.details) for one in said]

    found = read(write_feed(entries, PUBLISHER, "sv", name="Exempelpartiet · Bromma"))

    assert (found["method"], found["name"], found["again"]) == ("PUBLISH", "Exempelpartiet · Bromma", "PT1H")
    assert found["zones"] == [ZONE]
    assert len(found["events"]) == len(said)
    for event, one in zip(found["events"], said, strict=True):
        assert (event["uid"], event["sequence"]) == (f"{one.key}@example.org", 7)
        assert (event["summary"], event["location"]) == (one.details.title, one.details.place)
        assert one.details.text in event["description"]
        assert (event["organizer"], event["attendees"]) == ("mailto:kontakt@nyhet.example.org", 0)
        assert event["stamp"] == iso(CHANGED)
        if one.details.all_day:
            assert (event["starts"], event["ends"]) == ("2027-07-01", "2027-08-01")
        else:
            assert event["zone"] == ZONE
            assert (event["starts"], event["ends"]) == (iso(one.details.starts_at), iso(one.details.ends_at))


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 12])
@pytest.mark.parametrize("day", [datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)])
def test_hours_around_the_change_of_the_clocks_are_the_same_there(day: datetime, hour: int):
    starts = day + timedelta(hours=hour)
    details = a_rally(starts_at=starts, ends_at=starts + timedelta(hours=5))

    found = read(write_one(an_entry(details=details), PUBLISHER, "sv"))

    assert (found["events"][0]["starts"], found["events"][0]["ends"]) == (iso(starts), iso(details.ends_at))


def test_what_is_called_off_is_read_as_that():
    found = read(write_one(an_entry(cancelled=True, sequence=4), PUBLISHER, "en"))

    assert (found["method"], found["events"][0]["status"], found["events"][0]["sequence"]) == ("CANCEL", "CANCELLED", 4)


def test_text_that_means_something_in_a_calendar_is_read_as_it_was_written():
    hostile = 'Åäö, ett; två\\ tre: "fyra" BEGIN:VEVENT 🌹 ' * 5

    found = read(
        write_one(an_entry(details=a_rally(title=hostile.strip(), text=f"{hostile}\n\nSist.")), PUBLISHER, "sv")
    )

    assert found["events"][0]["summary"] == hostile.strip()
    assert found["events"][0]["description"] == f"{hostile}\n\nSist."
