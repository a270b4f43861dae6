from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.events.details import Details
from mailer.ladder import Step
from mailer.reminders.due import beside_digest, due, moment_of, useful_until

STOCKHOLM = ZoneInfo("Europe/Stockholm")
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)  # the nights in which the clocks change
LADDER = (
    Step("invitation", -14, time(18)),
    Step("reminder", -3, time(2, 30)),
    Step("reminder", 0, time(8)),
    Step("details", hours=2),
    Step("thanks", 1, time(2, 30)),
)


def an_event(starts: datetime, hours: float = 3, **values: object) -> Details:
    """`starts`: on Stockholm's clock."""
    begins = starts.replace(tzinfo=STOCKHOLM).astimezone(UTC)
    defaults = {"title": "Första maj", "zone": "Europe/Stockholm"}
    return Details(starts_at=begins, ends_at=begins + timedelta(hours=hours), **(defaults | values))  # type: ignore[arg-type]  # the test's own


def at(wall: str) -> datetime:
    return datetime.fromisoformat(wall)


def on_the_wall(moment: datetime) -> str:
    return f"{moment.astimezone(STOCKHOLM):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("starts", "step", "said"),
    [
        (at("2027-04-03 13:00"), Step("invitation", -14, time(18)), "03-20 18:00"),
        (at("2027-03-31 13:00"), Step("reminder", -3, time(2, 30)), "03-28 03:30"),  # there is no 02:30
        (at("2027-11-03 13:00"), Step("reminder", -3, time(2, 30)), "10-31 02:30"),
        (at("2027-11-03 13:00"), Step("reminder", -4, time(18)), "10-30 18:00"),
        (at("2027-03-28 04:00"), Step("reminder", hours=2), "03-28 01:00"),  # two hours, whatever the clocks show
        (at("2027-05-01 13:00"), Step("thanks", 1, time(18)), "05-02 18:00"),
        (at("2027-05-01 13:00"), Step("thanks", 0, time(12)), "05-01 16:00"),  # nobody is thanked before the end
    ],
)
def test_days_and_hours_are_those_of_the_events_own_clock(starts: datetime, step: Step, said: str):
    assert on_the_wall(moment_of(step, an_event(starts))) == said


def test_of_an_hour_that_comes_twice_the_first_counts():
    event = an_event(at("2027-11-03 13:00"))

    assert moment_of(Step("reminder", -3, time(2, 30)), event) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


hours = st.builds(time, st.integers(0, 23), st.integers(0, 59))
around_the_nights = st.builds(
    lambda night, days, clock: datetime.combine(night + timedelta(days=days), clock),
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(-2, 20),
    hours,
)
rings = st.lists(st.integers(0, 60 * 24 * 45), max_size=40).map(sorted)


@given(around_the_nights, rings)
@example(at("2027-03-31 13:00"), [])
@example(at("2027-11-03 13:00"), [])
def test_however_often_and_irregularly_somebody_looks_each_step_is_due_once(starts: datetime, minutes: list[int]):
    event = an_event(starts)
    begin = event.starts_at - timedelta(days=20)
    looks = [begin, *(begin + timedelta(minutes=minute) for minute in minutes), begin + timedelta(days=45)]

    found = [one for after, now in pairwise(looks) for one in due(LADDER, event, after, now)]

    assert len({one.step.name for one in found}) == len(found)
    for one in found:
        assert begin < one.at < useful_until(one.step.letter, event)


@given(around_the_nights)
def test_whoever_looks_each_minute_finds_every_step_that_comes_in_time(starts: datetime):
    event = an_event(starts)
    minute, begin = timedelta(minutes=1), event.starts_at - timedelta(days=20)

    for step in LADDER:
        at = moment_of(step, event)
        if begin < at < useful_until(step.letter, event) - minute:
            assert [one.step for one in due([step], event, at - minute, at)] == [step]
            assert due([step], event, at, at + minute) == []


@given(around_the_nights, st.integers(-30, 0), hours)
def test_the_clock_on_the_wall_shows_the_hour_of_the_step_unless_it_leaves_it_out(
    starts: datetime, days: int, clock: time
):
    event = an_event(starts)

    shown = moment_of(Step("reminder", days, clock), event).astimezone(STOCKHOLM)

    asked = datetime.combine(event.starts_at.astimezone(STOCKHOLM).date() + timedelta(days=days), clock)
    left_out = asked.date() == SPRING and clock.hour == 2
    assert shown.replace(tzinfo=None) == (asked + timedelta(hours=1) if left_out else asked)


def test_nothing_is_due_once_the_event_has_begun_but_thanks():
    event = an_event(at("2027-05-01 07:00"))  # the reminder of 08:00 comes too late
    long_ago = event.starts_at - timedelta(days=30)

    begun = due(LADDER, event, long_ago, event.starts_at)
    later = due(LADDER, event, long_ago, event.starts_at + timedelta(days=2))

    assert begun == []
    assert [one.step.letter for one in later] == ["thanks"]


def test_what_has_whole_days_can_be_reminded_of_on_its_first_morning():
    event = an_event(at("2027-07-01 00:00"), hours=31 * 24, all_day=True)
    morning = datetime(2027, 7, 1, 6, tzinfo=UTC)

    found = due(LADDER, event, morning - timedelta(minutes=1), morning)

    assert [one.step.name for one in found] == ["reminder-on-the-day"]
    assert on_the_wall(moment_of(LADDER[-1], event)) == "08-01 02:30"  # the day after the last


@pytest.mark.parametrize(
    ("due_at", "digest", "goes"),
    [
        ("04-29 07:00", "04-29 08:00", "04-29 09:00"),  # the same morning: after it
        ("04-29 08:00", "04-29 08:00", "04-29 09:00"),
        ("04-29 08:30", "04-29 08:00", "04-29 09:00"),
        ("04-29 18:00", "04-29 08:00", "04-29 18:00"),  # ten hours lie between them, and who read of it there had it
        ("04-28 18:00", "04-29 08:00", "04-28 18:00"),  # another day
        ("05-01 08:00", "05-01 11:30", "05-01 08:00"),  # after that digest it would be too late
    ],
)
def test_a_step_goes_after_a_digest_of_the_same_day_if_there_is_time(due_at: str, digest: str, goes: str):
    event = an_event(at("2027-05-01 13:00"))
    moments = [datetime.fromisoformat(f"2027-{said}").replace(tzinfo=STOCKHOLM) for said in (due_at, digest)]

    assert on_the_wall(beside_digest(moments[0], moments[1:], event, "reminder")) == goes
