"""What strangers send is read in a process of its own, to the same end."""

from datetime import UTC

import pytest

from mailer.errors import Mistake
from mailer.events.apart import read, read_apart
from mailer.events.calendar_writing import write_feed
from mailer.resources import resource
from tests.mailer.events.saying import ZONE
from tests.mailer.events.test_calendar_writing import PUBLISHER, an_entry

EXAMPLE = (resource("examples") / "evenemang.toml").read_bytes()
LONG = b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nUID:1\r\nCOMMENT:a\r\nEND:VEVENT\r\n" * 90_000 + b"END:VCALENDAR\r\n"
CALENDAR = write_feed([an_entry()], PUBLISHER, "sv", name="x")


@pytest.mark.parametrize("content", [EXAMPLE, CALENDAR, b'[x]\ntitle = "no time"\n'], ids=["toml", "ics", "fault"])
def test_what_is_read_apart_is_what_is_read_here(content: bytes):
    apart, here = read_apart(content, ZONE), read(content, ZONE)

    assert apart.events == here.events
    assert [str(fault.why) for fault in apart.faults] == [str(fault.why) for fault in here.faults]
    assert apart.events or apart.faults
    assert all(said.details.starts_at.utcoffset() == UTC.utcoffset(None) for said in apart.events)


def test_a_refusal_keeps_its_sentence():
    with pytest.raises(Mistake) as refused:
        read_apart(b"BEGIN:VCALENDAR\r\nnonsense", ZONE)

    assert refused.value.sentence in {
        "The file is no iCalendar: {reason}.",
        "The calendar of the file does not come to its end.",
    }


def test_a_calendar_that_takes_too_long_is_given_up():
    with pytest.raises(Mistake, match="far too long"):
        read_apart(LONG, ZONE, cpu_seconds=1)
