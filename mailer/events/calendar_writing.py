"""Events as iCalendar, RFC 5545 and 5546: one for a calendar to take in, or many for it to follow. Pure.

Nobody is asked for an answer: METHOD:REQUEST makes programs mail it to ORGANIZER, and names each reader as an ATTENDEE.
So an announcement is PUBLISH, and the file of one event that does not take place CANCEL, which takes it out of the
calendars that had it; in a feed it stays, with STATUS:CANCELLED, until it is left out. REQUEST is for whoever said yes,
in a letter to them alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

from mailer.events.details import Details
from mailer.events.moments import wall
from mailer.events.wording import description

PRODUCT = "-//Utskick//Events//EN"
_EARLIEST, _LATEST = 1970, 2100  # a calendar that anybody sends may say the year 9999: nobody waits for its clocks
LOOK_AGAIN = timedelta(hours=1)  # how often a feed is worth asking for, RFC 7986 5.7


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, and what calendars know it by. `page`: where it is told of."""

    uid: str
    sequence: int
    created_at: datetime
    changed_at: datetime
    cancelled: bool
    page: str
    details: Details


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who says so: ORGANIZER, which a PUBLISH must have (RFC 5546 3.2.1)."""

    name: str
    address: str


def write_one(entry: Entry, publisher: Publisher, language: str) -> bytes:
    return _written([entry], publisher, language, method="CANCEL" if entry.cancelled else "PUBLISH")


def write_feed(entries: Sequence[Entry], publisher: Publisher, language: str, *, name: str) -> bytes:
    """`name`: what a calendar program calls it."""
    return _written(entries, publisher, language, method="PUBLISH", name=name)


def write_for(entry: Entry, publisher: Publisher, language: str, *, comes: bool) -> bytes:
    """Return what puts an event into the calendar of somebody who `comes`, or takes it out: REQUEST or CANCEL.

    Its ATTENDEE has a place holder for an address: whose it is stands in no table, see mailer.message.invitation.
    RSVP=FALSE: they have answered, on a page, and no program is to mail it once more.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST" if comes else "CANCEL")
    event = _event(replace(entry, cancelled=not comes), publisher, language)
    event["transp"] = "TRANSPARENT" if entry.details.all_day else "OPAQUE"
    attendee = vCalAddress("mailto:somebody@example.invalid")
    attendee.params["PARTSTAT"], attendee.params["RSVP"] = "ACCEPTED" if comes else "DECLINED", "FALSE"
    event.add("attendee", attendee)
    calendar.add_component(event)
    calendar.add_missing_timezones(*_years_of([entry]))
    content: bytes = calendar.to_ical()
    return content


def _written(entries: Sequence[Entry], publisher: Publisher, language: str, *, method: str, name: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)  # what programs read that do not know RFC 7986
        calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", LOOK_AGAIN)
    for entry in entries:
        calendar.add_component(_event(entry, publisher, language))
    if entries:
        calendar.add_missing_timezones(*_years_of(entries))
    content: bytes = calendar.to_ical()
    return content


def _years_of(entries: Iterable[Entry]) -> tuple[date, date]:
    """Return days before and after all that a time zone has to tell of."""
    starts = [entry.details.starts_at for entry in entries]
    ends = [entry.details.ends_at for entry in entries]
    return date(max(min(starts).year - 1, _EARLIEST), 1, 1), date(min(max(ends).year + 2, _LATEST), 1, 1)


def _event(entry: Entry, publisher: Publisher, language: str) -> Event:
    details, event = entry.details, Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at)
    event.add("created", entry.created_at)
    event.add("last-modified", entry.changed_at)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("summary", details.title)
    event.add("dtstart", _moment(details, details.starts_at))
    event.add("dtend", _moment(details, details.ends_at))
    event.add("transp", "TRANSPARENT")  # it is told of, not taken on: nobody is busy then
    event.add("organizer", _organizer(publisher))
    event.add("url", entry.page)
    for name, text in (
        ("location", details.place),
        ("description", description(details, language)),
        ("contact", details.contact),
    ):
        if text:
            event.add(name, text)
    return event


def _moment(details: Details, moment: datetime) -> date:
    """An hour that the clocks show twice is in UTC: RFC 5545 3.3.5 means the first of them, ical.js takes the other."""
    at = wall(moment, details.zone)
    if details.all_day:
        return at.date()
    local = at.replace(tzinfo=ZoneInfo(details.zone))
    return local if local.utcoffset() == local.replace(fold=1).utcoffset() else moment


def _organizer(publisher: Publisher) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{publisher.address}")
    organizer.params["CN"] = vText(publisher.name)
    return organizer
