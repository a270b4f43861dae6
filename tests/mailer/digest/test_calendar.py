from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.config.values import WEEKDAYS
from mailer.digest.calendar import moment_in, period_of

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


def test_an_hour_that_does_not_exist_comes_an_hour_later():
    moment = moment_in("2026-W13", "Sunday 02:30", STOCKHOLM)

    assert moment.astimezone(STOCKHOLM).strftime("%m-%d %H:%M") == "03-29 03:30"


def test_of_an_hour_that_comes_twice_the_first_counts():
    assert moment_in("2026-W43", "Sunday 02:30", STOCKHOLM) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  timezones adds it


@given(moments, st.sampled_from(WEEKDAYS), st.times())
def test_whatever_the_rule_its_moment_lies_in_its_own_week(moment: datetime, weekday: str, hour: time):
    period = period_of(moment, STOCKHOLM)

    assert period_of(moment_in(period, f"{weekday} {hour:%H:%M}", STOCKHOLM), STOCKHOLM) == period
