from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.digest.calendar import due_times, moment_in, period_of

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def test_a_period_is_the_iso_week_where_the_members_live():
    assert period_of(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), STOCKHOLM) == "2026-W48"
    assert period_of(datetime(2027, 1, 1, tzinfo=UTC), STOCKHOLM) == "2026-W53"


@pytest.mark.parametrize(
    ("period", "utc"),
    [("2026-W47", datetime(2026, 11, 19, 7, tzinfo=UTC)), ("2026-W27", datetime(2026, 7, 2, 6, tzinfo=UTC))],
)
def test_the_hour_is_the_same_on_the_wall_in_summer_and_winter(period: str, utc: datetime):
    assert moment_in(period, "Thursday 08:00", STOCKHOLM) == utc


def test_an_hour_that_does_not_exist_rings_once_an_hour_later():
    rung = due_times("Sunday 02:30", STOCKHOLM, datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))

    assert [moment.astimezone(STOCKHOLM).strftime("%d %H:%M") for moment in rung] == ["29 03:30"]


def test_an_hour_that_comes_twice_rings_at_the_first():
    rung = due_times("Sunday 02:30", STOCKHOLM, datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC))

    assert rung == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_rings_missed_over_weeks_are_found_oldest_first():
    rung = due_times(
        "Monday 08:00", STOCKHOLM, datetime(2026, 11, 2, 7, tzinfo=UTC), datetime(2026, 11, 17, tzinfo=UTC)
    )

    assert rung == [datetime(2026, 11, day, 7, tzinfo=UTC) for day in (9, 16)]


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  timezones adds it


@given(moments, st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 40))
def test_asking_in_two_steps_finds_the_same_rings_as_asking_once(start: datetime, one: int, two: int):
    middle, end = start + timedelta(minutes=one), start + timedelta(minutes=one + two)

    def rings(after: datetime, until: datetime) -> list[datetime]:
        return due_times("Sunday 02:30", STOCKHOLM, after, until)

    assert rings(start, middle) + rings(middle, end) == rings(start, end)
