"""Events as a person looks through them."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mailer.events.answers import Tally, tally
from mailer.events.book import revisions
from mailer.events.details import Details, EventState
from mailer.events.models import Event, EventDistrict
from mailer.events.rows import details_of, id_of, many_details
from mailer.events.written import as_written


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in a listing."""

    id: int
    key: str
    source: str
    state: EventState
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    all_day: bool
    place: str
    districts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said of when and where since `at`. `changed`: names of what was said otherwise than before."""

    sequence: int
    at: datetime
    changed: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    place: str
    meeting_point: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is known of an event; `said` in the form and with the keys in which it is written."""

    entry: Entry
    uid: str
    locked: tuple[str, ...]
    said: dict[str, object]
    answers: Tally
    history: tuple[Earlier, ...]


def list_events(session: Session, *, district: str | None, all_of_them: bool, now: datetime) -> list[Entry]:
    """Return those that have not ended, or all of them; the next one first. `district`: a slug; of it alone."""
    query = select(Event).order_by(col(Event.starts_at), col(Event.id))
    if not all_of_them:
        query = query.where(col(Event.ends_at) >= now)
    if district:
        query = query.join(EventDistrict).where(EventDistrict.slug == district)
    events = session.exec(query).all()
    details = many_details(session, events)
    return [_entry(event, details[id_of(event)]) for event in events]


def show(session: Session, event: Event) -> Whole:
    details = details_of(session, event)
    said = as_written(details)
    history = tuple(
        Earlier(
            sequence=one.sequence,
            at=one.at,
            changed=tuple(filter(None, one.changed.split(","))),
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            place=one.place,
            meeting_point=one.meeting_point,
            cancelled=one.cancelled,
        )
        for one in revisions(session, event)
    )
    locked = tuple(filter(None, event.locked.split(",")))
    return Whole(_entry(event, details), event.uid, locked, said, tally(session, id_of(event)), history)


def _entry(event: Event, details: Details) -> Entry:
    return Entry(
        id=id_of(event),
        key=event.key,
        source=event.source,
        state=event.state,
        sequence=event.sequence,
        title=event.title,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        all_day=event.all_day,
        place=event.place,
        districts=tuple(sorted(details.districts)),
    )
