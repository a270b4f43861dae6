"""How many letters a provider may be given now, and when the next ones. Pure: no clock, no database.

Two kinds of limit, because they are for two things. `per_second` keeps a beat: each letter has its own moment, evenly
spread over all workers. `per_minute`, `per_hour`, `per_day` and the warm-up are allowances: they may be used at once,
and then nothing more goes until enough of what was spent has left the window. In no second, minute, hour or 24 hours,
wherever it begins, do more letters go than the limit says; a bucket that fills again while it is being emptied would
let nearly twice as many through in an unlucky one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo

from mailer.pace import Pace, WarmUp
from mailer.sentences import N_

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRANT = SECOND  # a worker draws no more than it may use in this time
LATENESS = timedelta(milliseconds=100)  # a letter that misses its moment by more loses it
LAG = 3 * SECOND  # after it was granted a letter has gone by then, or lost its leave
AT_MOST = 1000  # letters in one grant without a beat

QUIET = N_("quiet hours")
WARMING = N_("the warm-up's share of today is used")
PER_DAY = N_("the limit per day is reached")
PER_HOUR = N_("the limit per hour is reached")
PER_MINUTE = N_("the limit per minute is reached")
PER_SECOND = N_("the limit per second is reached")


@dataclass(frozen=True, slots=True)
class Slice:
    """Letters granted in a short span of time that began at `at`."""

    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Meter:
    """What was granted to a provider so far, by all workers.

    next_beat   the first moment that nobody has been given yet
    seconds     of the last minutes, by the second; oldest first
    minutes     of the last day, by the minute; oldest first
    today       letters on this day of the site's calendar
    days        earlier days, since the warm-up began, on which anything was sent
    """

    next_beat: datetime | None = None
    seconds: Sequence[Slice] = ()
    minutes: Sequence[Slice] = ()
    today: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send `number` letters: the first at `first`, the others `spacing` apart, 0: all of them at once."""

    number: int
    first: datetime
    spacing: timedelta = timedelta()

    @property
    def after(self) -> datetime:
        """When the next grant may begin."""
        return self.first + self.number * self.spacing


@dataclass(frozen=True, slots=True)
class Shut:
    """Nothing before `until`."""

    until: datetime
    why: str = field(default="")


@dataclass(frozen=True, slots=True)
class Question:
    """May up to `wanted` letters go?

    zone    of quiet hours and of the days of a warm-up
    lead    how long the answer takes to reach whoever asks: moments before that are of no use
    urgent  somebody waits for them, as for a confirmation: neither quiet hours nor the warm-up hold them back
    """

    now: datetime
    zone: tzinfo
    wanted: int = 1
    lead: timedelta = timedelta()
    urgent: bool = False


def decide(pace: Pace, meter: Meter, question: Question) -> Grant | Shut:
    """Grant letters, or say when to ask again."""
    now, zone = question.now, question.zone
    limits = [] if question.urgent else [_quiet(pace, now, zone), _warm_up(pace, meter, now, zone)]
    limits += [
        _allowance(pace.per_day, DAY, meter.minutes, MINUTE, now, PER_DAY),
        _allowance(pace.per_hour, HOUR, meter.minutes, MINUTE, now, PER_HOUR),
        _allowance(pace.per_minute, MINUTE, meter.seconds, SECOND, now, PER_MINUTE),
    ]
    shut = [limit for limit in limits if isinstance(limit, Shut)]
    if shut:
        return max(shut, key=lambda each: each.until)
    left = min([limit for limit in limits if isinstance(limit, int)], default=AT_MOST)
    return _beat(pace.per_second, meter.next_beat, min(question.wanted, left, AT_MOST), question)


def _beat(per_second: int, next_beat: datetime | None, number: int, question: Question) -> Grant | Shut:
    """Give the next free moments of the beat, up to a second's worth of them, that begin within a second."""
    if not per_second:
        return Grant(number, question.now)
    spacing = (SECOND + LATENESS) / per_second  # late ones too stay within the limit
    soonest = question.now + min(question.lead, GRANT)
    first = max(next_beat or soonest, soonest)
    if first - question.now > GRANT:
        return Shut(first - GRANT, PER_SECOND)
    return Grant(min(number, max(1, math.floor(GRANT / spacing))), first, spacing)


def _allowance(
    limit: int, window: timedelta, slices: Sequence[Slice], width: timedelta, now: datetime, why: str
) -> int | Shut | None:
    """Return how many of `limit` are left in the window that ends now, or when there is one again.

    A slice stays in the window until the last letter that it may stand for has left it: they had LAG to go.
    """
    if not limit:
        return None
    stay = window + width + LAG
    within = [each for each in slices if each.at + stay > now]
    spent = sum(each.number for each in within)
    if spent < limit:
        return limit - spent
    for oldest in within:
        spent -= oldest.number
        if spent < limit:
            return Shut(oldest.at + stay, why)
    return Shut(now + window, why)  # not reached: without slices nothing is spent


def ceiling_of(plan: WarmUp, days: int) -> int:
    """Return the letters that a day may have which `days` days of sending came before."""
    steps = math.log(plan.ceiling / plan.start) / math.log(plan.factor)
    return plan.ceiling if days >= steps else min(plan.ceiling, int(plan.start * plan.factor**days))


def _warm_up(pace: Pace, meter: Meter, now: datetime, zone: tzinfo) -> int | Shut | None:
    if pace.warm_up is None:
        return None
    left = ceiling_of(pace.warm_up, meter.days) - meter.today
    return left if left > 0 else Shut(midnight_after(now, zone), WARMING)


def midnight_before(now: datetime, zone: tzinfo) -> datetime:
    """Return when the day of `now` began in `zone`."""
    return datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone).astimezone(UTC)


def midnight_after(now: datetime, zone: tzinfo) -> datetime:
    """Return when the day of `now` ends in `zone`: it may have 23 or 25 hours."""
    return datetime.combine(now.astimezone(zone).date() + DAY, time(), tzinfo=zone).astimezone(UTC)


def _quiet(pace: Pace, now: datetime, zone: tzinfo) -> Shut | None:
    until = quiet_until(pace, now, zone)
    return None if until is None else Shut(until, QUIET)


def quiet_until(pace: Pace, now: datetime, zone: tzinfo) -> datetime | None:
    """Return when the quiet hours that hold at `now` end; None when none do.

    On the nights when the clock is changed they are the longer of what they could be: an hour that comes twice is
    quiet both times, and one that does not exist ends them when the clock has passed it.
    """
    if pace.quiet_hours is None:
        return None
    begin, end = pace.quiet_hours
    today = now.astimezone(zone).date()
    for day in (today - DAY, today):
        last = day if begin < end else day + DAY
        ends = max(_moments(datetime.combine(last, end, tzinfo=zone)))
        if min(_moments(datetime.combine(day, begin, tzinfo=zone))) <= now < ends:
            return ends
    return None


def _moments(wall: datetime) -> tuple[datetime, datetime]:
    """Return both moments that an hour on the wall may mean (PEP 495); they are one except when clocks are changed."""
    return wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
