"""Hours on an event's own clock, and back. Pure."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def at_clock(wall: datetime, zone: str) -> datetime:
    """Return the moment, in UTC, when the clocks of `zone` show `wall`; the first one where they show it twice.

    raises  ValueError for an hour that is left out when summer time begins, or that lies outside the calendar
    """
    local = wall.replace(tzinfo=ZoneInfo(zone))
    try:
        moment = local.astimezone(UTC)
        back = moment.astimezone(local.tzinfo)
    except OverflowError:
        raise ValueError("outside the calendar") from None
    if back.replace(tzinfo=None) != wall:
        raise ValueError("no such hour")
    return moment


def midnight(day: date, zone: str) -> datetime:
    """Return when `day` begins. raises ValueError as `at_clock`"""
    return at_clock(datetime.combine(day, time()), zone)


def wall(moment: datetime, zone: str) -> datetime:
    """Return what the clocks of `zone` show, without an offset."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
