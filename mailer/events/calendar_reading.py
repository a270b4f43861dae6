"""An iCalendar file of somebody else's, RFC 5545: read into Details. Pure. Every text in it is hostile."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event
from pydantic import TypeAdapter, ValidationError

from mailer.errors import Mistake
from mailer.events.details import Details
from mailer.events.moments import at_clock, midnight, zone_names
from mailer.events.said import Fault, Said
from mailer.events.written import MOST_EVENTS, Link
from mailer.message.characters import lines, one_line
from mailer.sentences import N_, Sentence

_LONGEST_LINE, _LONGEST_TEXT, _LONGEST_UID = 200, 20_000, 255
_LARGEST_SEQUENCE = 1_000_000
_DAY = timedelta(days=1)
_LINK: TypeAdapter[str] = TypeAdapter(Link)


def looks_like_calendar(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].upper() == b"BEGIN:VCALENDAR"


def read_calendar(content: bytes, zone: str) -> tuple[list[Said], list[Fault]]:
    """Read the events of a calendar; one that is wrong stops no other. `zone`: of hours without one.

    raises  Mistake when it is no calendar at all, or holds too many events
    """
    try:
        calendars = Calendar.from_ical(content, multiple=True)
        found = [one for calendar in calendars for one in calendar.walk("VEVENT") if isinstance(one, Event)]
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise Mistake("The file is no iCalendar: {reason}.", reason=one_line(str(error))[:200].rstrip(".")) from None
    if not calendars:
        raise Mistake("The calendar of the file does not come to its end.")
    if len(found) > MOST_EVENTS:
        raise Mistake("The file holds more than {limit} events; divide it.", limit=MOST_EVENTS)
    events, faults = [], []
    for event in found:
        try:
            events.append(_said(event, zone))
        except Mistake as error:
            name = _line(event, "SUMMARY") or _line(event, "UID")
            faults.append(Fault(name, Sentence(error.sentence, error.values)))
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError):
            faults.append(Fault(_line(event, "SUMMARY"), Sentence(N_("its time is not understood"))))
    return events, faults


def _said(event: Event, zone: str) -> Said:
    uid = one_line(str(event.get("UID", "")))
    if not uid or len(uid) > _LONGEST_UID:
        raise Mistake("it has no UID, or one that is too long")
    if any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID")):
        raise Mistake("it recurs: write an event for each of its dates")
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    sequence = event.get("SEQUENCE", 0)
    counted = min(max(int(sequence), 0), _LARGEST_SEQUENCE)
    return Said(uid, _details(event, zone), cancelled=cancelled, uid=uid, sequence=counted)


def _details(event: Event, zone: str) -> Details:
    starts, ends = event.start, event.end  # icalendar works the end out of DURATION, too
    whole_days = not isinstance(starts, datetime)
    if whole_days and ends == starts:
        ends = starts + _DAY  # RFC 5545 3.6.1 wants a later end; programs that write the same day mean that day
    zone = _zone_of(starts, zone)
    details = Details(
        title=_line(event, "SUMMARY"),
        starts_at=_moment(starts, zone),
        ends_at=_moment(ends, zone),
        zone=zone,
        all_day=whole_days,
        text=lines(str(event.get("DESCRIPTION", ""))).strip()[:_LONGEST_TEXT],
        place=_line(event, "LOCATION"),
        url=_link(event.get("URL")),
    )
    if not details.title:
        raise Mistake("it has no title")
    if details.ends_at < details.starts_at:
        raise Mistake("it ends before it starts")
    return details


def _zone_of(starts: date, zone: str) -> str:
    key = getattr(getattr(starts, "tzinfo", None), "key", None)
    return key if key in zone_names() and key != "UTC" else zone


def _moment(said: date, zone: str) -> datetime:
    if not isinstance(said, datetime):
        return midnight(said, zone)
    return said.astimezone(UTC) if said.tzinfo else at_clock(said, zone)


def _line(event: Event, name: str) -> str:
    return one_line(str(event.get(name, "")))[:_LONGEST_LINE].strip()


def _link(said: Any) -> str:
    """Return the address if a person could have written it, so that they can edit the event; "" for anything else."""
    try:
        return _LINK.validate_python(one_line(str(said or "")))
    except ValidationError:
        return ""
