"""An event in words, as pages, letters and calendars say it. Pure. Hours are those of the event's own clock."""

from datetime import date, datetime, timedelta

from babel.dates import format_date, format_interval

from mailer.events.details import Details, Shift, Step
from mailer.events.moments import wall
from mailer.i18n import translations

_DAY = timedelta(days=1)


def when(details: Details, language: str) -> str:
    """Return "Saturday, May 1, 2027, 13:00–16:00", or the days of an event that has no hours."""
    starts, ends = wall(details.starts_at, details.zone), wall(details.ends_at, details.zone)
    if details.all_day:
        return _days(starts.date(), ends.date() - _DAY, language)
    if starts == ends:
        return f"{_long(starts, language)}, {starts:%H:%M}"
    return between(starts, ends, language)


def shift_when(shift: Shift, zone: str, language: str) -> str:
    return between(wall(shift.starts_at, zone), wall(shift.ends_at, zone), language)


def shift_briefly(shift: Shift, zone: str, language: str) -> str:
    """Return "Sat, Dec 12, 12:00–14:00": for a list to choose from, of which a telephone shows some 25 characters."""
    starts, ends = wall(shift.starts_at, zone), wall(shift.ends_at, zone)
    day = format_date(starts.date(), "EEE d MMM" if language == "sv" else "EEE, MMM d,", locale=language)
    return f"{day} {starts:%H:%M}–{ends:%H:%M}"


def between(starts: datetime, ends: datetime, language: str) -> str:
    """Return two hours of a clock with their day, or their days; one that ends in the night belongs to its evening."""
    if starts.date() == ends.date() or ends - starts < timedelta(hours=12):
        return f"{_long(starts, language)}, {starts:%H:%M}–{ends:%H:%M}"
    return f"{_long(starts, language)}, {starts:%H:%M} – {_long(ends, language)}, {ends:%H:%M}"


def step_hour(step: Step, details: Details, language: str) -> str:
    """Return the hour of a step, with its day where that is not the first one."""
    at, first = wall(step.at, details.zone), wall(details.starts_at, details.zone)
    return f"{at:%H:%M}" if at.date() == first.date() else f"{_long(at, language)}, {at:%H:%M}"


def description(details: Details, language: str) -> str:
    """Return all that is said of an event besides its title, time and place, as plain text in paragraphs."""
    gettext = translations(language).gettext
    route = "\n".join(
        f"{step_hour(step, details, language)} {step.what}" + (f", {step.place}" if step.place else "")
        for step in details.route
    )
    labelled = (
        (gettext("Meeting point"), details.meeting_point),
        (gettext("Accessibility"), details.access),
        (gettext("If it rains"), details.rain_plan),
        (gettext("Contact"), details.contact),
        (gettext("Map"), details.map_url),
        (gettext("More about it"), details.url),
    )
    parts = (details.text.strip(), route, *(f"{label}: {text.strip()}" for label, text in labelled if text.strip()))
    return "\n\n".join(part for part in parts if part)


def _days(first: date, last: date, language: str) -> str:
    return _long(first, language) if first == last else str(format_interval(first, last, "yMMMd", locale=language))


def _long(day: date, language: str) -> str:
    return str(format_date(day, "full", locale=language))
