"""Weeks and the hours in them: which edition a moment belongs to, and when "Thursday 08:00" comes round."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from mailer.config.values import WEEKDAYS


def period_of(moment: datetime, zone: ZoneInfo) -> str:
    """Return the ISO week of `moment` where the members live: "2026-W47"."""
    week = moment.astimezone(zone).isocalendar()
    return f"{week.year}-W{week.week:02}"


def moment_in(period: str, rule: str, zone: ZoneInfo) -> datetime:
    """Return when `rule` ("Thursday 08:00") comes in the ISO week `period`, in UTC.

    Once a week, also when the clock changes: an hour that does not exist is taken as the summer time has it
    (02:30 becomes 03:30), and of an hour that comes twice the first counts.
    """
    year, week = period.split("-W")
    weekday, hour = rule.split()
    day = date.fromisocalendar(int(year), int(week), WEEKDAYS.index(weekday) + 1)
    # fold=0, the default: before a gap's change and the first of two, as PEP 495 has it.
    return datetime.combine(day, time.fromisoformat(hour), zone).astimezone(UTC)
