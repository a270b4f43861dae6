"""Weeks and the hours in them: which edition a moment belongs to, and when "Thursday 08:00" comes round."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailer.config import WEEKDAYS

_WEEK = timedelta(weeks=1)


def period_of(moment: datetime, zone: ZoneInfo) -> str:
    """Return the ISO week of `moment` where the members live: "2026-W47"."""
    week = moment.astimezone(zone).isocalendar()
    return f"{week.year}-W{week.week:02}"


def moment_in(period: str, rule: str, zone: ZoneInfo) -> datetime:
    """Return when `rule` ("Thursday 08:00") comes in the ISO week `period`, in UTC."""
    year, week = period.split("-W")
    return _on_week_of(date.fromisocalendar(int(year), int(week), 1), rule, zone)


def due_times(rule: str, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Return when `rule` comes round after `after`, up to and including `until`: moments in UTC, oldest first.

    Once a week, also when the clock changes: an hour that does not exist is taken as the summer time has it
    (02:30 becomes 03:30), and of an hour that comes twice the first counts.
    """
    monday = after.astimezone(zone).date() - timedelta(days=after.astimezone(zone).weekday())
    moments = []
    while (moment := _on_week_of(monday, rule, zone)) <= until:
        if moment > after:
            moments.append(moment)
        monday += _WEEK
    return moments


def _on_week_of(monday: date, rule: str, zone: ZoneInfo) -> datetime:
    weekday, hour = rule.split()
    day = monday + timedelta(days=WEEKDAYS.index(weekday))
    # fold=0, the default: before a gap's change and the first of two, as PEP 495 has it.
    return datetime.combine(day, time.fromisoformat(hour), zone).astimezone(UTC)
