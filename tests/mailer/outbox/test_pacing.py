"""How many letters may go now, and when the next ones: arithmetic on tables."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mailer.outbox import pacing
from mailer.outbox.pacing import (
    LAG,
    LATENESS,
    PER_DAY,
    PER_HOUR,
    PER_MINUTE,
    QUIET,
    WARMING,
    Grant,
    Meter,
    Question,
    Shut,
    Slice,
    ceiling_of,
    decide,
    quiet_until,
)  # fmt: skip
from mailer.outbox.ration import Ration
from mailer.pace import Pace, WarmUp
from tests.builders import MOMENT

STOCKHOLM = ZoneInfo("Europe/Stockholm")
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))


def asked(pace: Pace, meter: Meter | None = None, *, at: datetime = MOMENT, wanted: int = 500, urgent: bool = False):
    return decide(pace, meter or Meter(), Question(at, STOCKHOLM, wanted=wanted, urgent=urgent))


def wall(text: str) -> datetime:
    """A moment on Stockholm's clock; "b" is the second of an hour that comes twice."""
    moment = datetime.fromisoformat(text.rstrip("b")).replace(tzinfo=STOCKHOLM, fold=text.endswith("b"))
    return moment.astimezone(UTC)


def most_in_any(span: timedelta, moments: Sequence[datetime]) -> int:
    """Count the moments in the fullest span, wherever it begins."""
    moments = sorted(moments)
    return max((bisect_left(moments, begin + span) - n for n, begin in enumerate(moments)), default=0)


@pytest.mark.parametrize(
    ("pace", "granted"),
    [
        (Pace(), 500),
        (Pace(per_second=10), 9),  # a second's worth, and a letter in hand for those that are late
        (Pace(per_second=1), 1),
        (Pace(per_minute=60), 60),
        (Pace(per_hour=100, per_day=40), 40),
        (Pace(per_second=1000, per_day=3), 3),
        (Pace(warm_up=WarmUp(start=20, ceiling=1000)), 20),
    ],
)
def test_the_narrowest_limit_decides(pace: Pace, granted: int):
    assert asked(pace).number == granted


@pytest.mark.parametrize(
    ("pace", "slices", "why", "opens"),
    [
        (Pace(per_minute=10), {"seconds": [(-59, 4), (-30, 6)]}, PER_MINUTE, -59 + 60 + 1),
        (Pace(per_hour=10), {"minutes": [(-3540, 9), (-60, 1)]}, PER_HOUR, -3540 + 3600 + 60),
        (Pace(per_day=10), {"minutes": [(-86340, 1), (-3600, 9)]}, PER_DAY, -86340 + 86400 + 60),
        (Pace(per_day=5), {"minutes": [(-86340, 1), (-3600, 9)]}, PER_DAY, -3600 + 86400 + 60),
    ],
)
def test_what_was_spent_opens_the_gate_again_when_it_has_left_the_window(
    pace: Pace, slices: dict[str, list[tuple[int, int]]], why: str, opens: int
):
    meter = Meter(**{k: [Slice(MOMENT + n * SECOND, m) for n, m in v] for k, v in slices.items()})  # type: ignore[arg-type]  # as the field

    shut = asked(pace, meter)

    assert shut == Shut(MOMENT + opens * SECOND + LAG, why)
    assert isinstance(asked(pace, meter, at=shut.until - SECOND), Shut)
    assert isinstance(asked(pace, meter, at=shut.until), Grant)


def test_the_longest_of_several_waits_is_told():
    pace = Pace(per_minute=1, per_day=1)
    spent = [Slice(MOMENT, 1)]

    assert asked(pace, Meter(seconds=spent, minutes=spent), at=MOMENT + SECOND).why == PER_DAY


@settings(deadline=None)
@given(
    st.integers(1, 30),
    st.lists(st.tuples(st.floats(0, 40), st.integers(1, 50)), min_size=1, max_size=60),
)
def test_in_no_minute_wherever_it_begins_do_more_go_than_the_limit(limit: int, draws: list[tuple[float, int]]):
    """The latest moments at which granted letters may go, against windows that begin anywhere."""
    now, seconds, gone = MOMENT, list[Slice](), list[datetime]()
    for pause, wanted in draws:
        now += timedelta(seconds=pause)
        answer = asked(Pace(per_minute=limit), Meter(seconds=seconds), at=now, wanted=wanted)
        if isinstance(answer, Grant):
            seconds.append(Slice(now.replace(microsecond=0), answer.number))
            late = timedelta(seconds=pause % 1)  # used at once, or only at the end of its life
            gone += [now + late] * answer.number

    assert most_in_any(MINUTE, gone) <= limit


@settings(deadline=None)
@given(st.integers(1, 200), st.lists(st.floats(0, 2), min_size=1, max_size=30), st.integers(0, 49))
def test_in_no_second_do_more_go_than_the_limit_however_late_they_are(limit: int, pauses: list[float], lag: int):
    now, beat, gone = MOMENT, None, list[datetime]()
    for pause in pauses:
        now += timedelta(seconds=pause)
        answer = asked(Pace(per_second=limit), Meter(next_beat=beat), at=now)
        if isinstance(answer, Shut):
            now = answer.until
            answer = asked(Pace(per_second=limit), Meter(next_beat=beat), at=now)
        assert isinstance(answer, Grant)
        assert answer.spacing * answer.number <= max(SECOND, answer.spacing)
        beat = answer.after
        late = [timedelta(milliseconds=lag if n % 2 else 0) for n in range(answer.number)]
        gone += [answer.first + n * answer.spacing + late[n] for n in range(answer.number)]

    assert most_in_any(SECOND, gone) <= limit


def test_workers_are_given_one_moment_after_the_other():
    pace, beat, grants = Pace(per_second=20), None, []
    for _ in range(2):
        answer = asked(pace, Meter(next_beat=beat), wanted=500)
        assert isinstance(answer, Grant)
        grants.append(answer)
        beat = answer.after

    assert grants[0].after == grants[1].first
    shut = asked(pace, Meter(next_beat=beat))  # the third would have to wait for longer than a second
    assert isinstance(shut, Shut)
    assert shut.until == beat - SECOND


@pytest.mark.parametrize(
    ("day", "letters"), [(0, 50), (1, 75), (2, 112), (3, 168), (10, 2883), (11, 4000), (1000, 4000), (10**9, 4000)]
)
def test_a_warm_up_grows_by_its_factor_each_day_up_to_the_ceiling(day: int, letters: int):
    assert ceiling_of(WarmUp(start=50, factor=1.5, ceiling=4000), day) == letters


def test_beyond_its_day_of_the_warm_up_the_rest_waits_for_midnight():
    pace = Pace(warm_up=WarmUp(start=50, factor=2, ceiling=1000))

    assert asked(pace, Meter(today=70, days=1)).number == 30
    assert asked(pace, Meter(today=100, days=1), at=wall("2024-03-30T15:00")) == Shut(wall("2024-03-31"), WARMING)
    assert asked(pace, Meter(today=100, days=1), at=wall("2024-03-31T15:00")) == Shut(wall("2024-04-01"), WARMING)


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ("21:00-07:00", "2024-03-04T20:59", None),
        ("21:00-07:00", "2024-03-04T21:00", "2024-03-05T07:00"),
        ("21:00-07:00", "2024-03-05T06:59", "2024-03-05T07:00"),
        ("21:00-07:00", "2024-03-05T07:00", None),
        ("12:00-13:00", "2024-03-04T12:30", "2024-03-04T13:00"),
        ("12:00-13:00", "2024-03-04T13:00", None),
        ("00:00-06:00", "2024-03-04T00:00", "2024-03-04T06:00"),
        # The clock goes from 02:00 to 03:00, and back from 03:00 to 02:00.
        ("22:00-07:00", "2024-03-31T06:59", "2024-03-31T07:00"),
        ("22:00-07:00", "2024-10-27T06:59", "2024-10-27T07:00"),
        ("22:00-02:30", "2024-03-31T01:59", "2024-03-31T03:30"),
        ("22:00-02:30", "2024-03-31T03:30", None),
        ("22:00-02:30", "2024-10-27T02:15", "2024-10-27T02:30b"),
        ("22:00-02:30", "2024-10-27T02:45", "2024-10-27T02:30b"),
        ("22:00-02:30", "2024-10-27T02:30b", None),
        ("02:30-05:00", "2024-10-27T02:30", "2024-10-27T05:00"),
        ("02:30-05:00", "2024-03-31T03:00", "2024-03-31T05:00"),
    ],
)
def test_quiet_hours_on_the_sites_clock_also_when_it_is_changed(hours: str, at: str, until: str | None):
    assert quiet_until(Pace(quiet=hours), wall(at), STOCKHOLM) == (wall(until) if until else None)


@given(st.integers(0, 366 * 24 * 4))
def test_quiet_hours_end_when_they_say(quarter: int):
    now = datetime(2024, 1, 1, tzinfo=UTC) + quarter * timedelta(minutes=15)
    until = quiet_until(Pace(quiet="22:00-06:30"), now, STOCKHOLM)

    if until is not None:
        assert timedelta() < until - now <= timedelta(hours=9, minutes=30)
        assert quiet_until(Pace(quiet="22:00-06:30"), until, STOCKHOLM) is None
        assert f"{until.astimezone(STOCKHOLM):%H:%M}" == "06:30"


def test_whoever_is_waited_for_is_held_by_neither_quiet_hours_nor_the_warm_up_but_by_the_limits():
    pace = Pace(quiet="00:00-23:59", warm_up=WarmUp(start=1, ceiling=1), per_day=5)
    meter = Meter(today=3)

    assert asked(pace, meter).why in {QUIET, WARMING}
    assert isinstance(asked(pace, meter, urgent=True), Grant)
    assert asked(pace, Meter(minutes=[Slice(MOMENT, 5)]), urgent=True).why == PER_DAY


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet": "21-07"},
        {"quiet": "21:00-21:00"},
        {"quiet": "24:00-07:00"},
        {"per_second": -1},
        {"per_secund": 1},
        {"warm_up": {"start": 0, "ceiling": 10}},
        {"warm_up": {"start": 100, "ceiling": 10}},
        {"warm_up": {"start": 1, "ceiling": 10, "factor": 1}},
    ],
)
def test_a_pace_that_cannot_be_meant_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Pace.model_validate(wrong)


def test_nothing_set_is_no_limit():
    assert not Pace().limited
    assert Pace(quiet="21:00-07:00").limited
    assert Pace(warm_up=WarmUp(start=1, ceiling=2, since=date(2026, 11, 28))).limited


def ready(ration: Ration, moments: Sequence[float]) -> list[float]:
    """Spend whenever it may be; return when it was."""
    spent = []
    for at in moments:
        while ration.waits(at) == 0.0:
            ration.spend()
            spent.append(at)
    return spent


def test_a_ration_gives_each_letter_at_its_moment():
    ration = Ration(3, begins=10.0, spacing=0.5, lateness=0.05)

    assert ready(ration, [9.9, 10.0, 10.4, 10.52, 11.04]) == [10.0, 10.52, 11.04]
    assert ration.exhausted


def test_a_letter_that_misses_its_moment_has_lost_it():
    ration = Ration(4, begins=10.0, spacing=0.5, lateness=0.05)

    assert ready(ration, [10.7, 11.0, 20.0]) == [11.0]
    assert ration.spent == 1


def test_a_ration_without_a_beat_may_go_at_once_and_ends():
    assert ready(Ration(3, begins=10.0, lateness=1.0), [10.3]) == [10.3] * 3
    assert ready(Ration(3, begins=10.0, lateness=1.0), [11.1]) == []
    assert LATENESS < SECOND
    assert pacing.GRANT <= SECOND
