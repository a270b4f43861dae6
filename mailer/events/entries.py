"""Who has an event in their calendar by a letter of ours, and what the next letter makes of that."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.events.attendance import Answer
from mailer.events.details import Details, EventState
from mailer.events.models import Event, Rsvp
from mailer.events.rows import id_of
from subscribers.models import Member

MOST = 20  # times that one member's entry goes in and out of one revision of an event; then somebody plays with a link


class Entry(NamedTuple):
    """What a letter does to a calendar. `comes`: it puts the event in, else it takes it out."""

    comes: bool
    sequence: int


def is_due(event: Event, details: Details, row: Rsvp) -> bool:
    """Say whether a calendar is to be told what was just answered."""
    if _is_of_no_use(details, row):
        return False
    asked = row.entry_sequence is None or row.entry_sequence < event.sequence + MOST
    return asked and _comes(event, row) != row.in_calendar


def unsettled() -> sa.Select[int]:
    """Return the statement that finds the events that are not in somebody's calendar as they answered."""
    return sa.select(col(Rsvp.event_id)).where(col(Rsvp.entry_due))


def due(session: Session, event: Event, *, most: int) -> list[int]:
    """Return `most` members whose calendar is to be told."""
    theirs = sa.and_(col(Rsvp.event_id) == id_of(event), col(Rsvp.entry_due))
    return list(session.scalars(sa.select(col(Rsvp.member_id)).where(theirs).order_by(col(Rsvp.since)).limit(most)))


def is_on_its_way(session: Session, event_id: int, member_id: int) -> bool:
    row = session.get(Rsvp, (event_id, member_id))
    return row is not None and row.entry_due


def has_one(session: Session, event_id: int) -> frozenset[int]:
    """Return who has it in their calendar: what changes they are told by a letter that changes that too."""
    theirs = sa.and_(col(Rsvp.event_id) == event_id, col(Rsvp.in_calendar))
    return frozenset(session.scalars(sa.select(col(Rsvp.member_id)).where(theirs)))


def enter(session: Session, event: Event, details: Details, member_id: int) -> Entry | None:
    """Return what a letter to a member is to do to their calendar, and note that it does; None: nothing.

    People who share an address share the entry: it goes when the last of them does not come.
    """
    row = session.get(Rsvp, (id_of(event), member_id))
    if row is None:
        return None
    comes, had, row.entry_due = _comes(event, row) and not _is_of_no_use(details, row), row.in_calendar, False
    row.in_calendar = comes
    session.add(row)
    session.flush()
    others = _beside(session, row)
    if not comes and (not had or any(other.in_calendar for other in others)):
        return None
    before = [one.entry_sequence for one in (row, *others) if one.entry_sequence is not None]
    row.entry_sequence = max([event.sequence, *(number + 1 for number in before)])  # RFC 5546 2.1.4: it only grows
    session.add(row)
    session.flush()
    return Entry(comes, row.entry_sequence)


def _is_of_no_use(details: Details, row: Rsvp) -> bool:
    """Who takes a shift of something that goes on for days comes to the shift, and has no use for the days.

    An entry that is there already follows the event all the same, or it would stay as it was.
    """
    return details.all_day and bool(details.shifts) and not row.in_calendar


def _comes(event: Event, row: Rsvp) -> bool:
    return row.answer is Answer.YES and not row.waiting and event.state is not EventState.CANCELLED


def _beside(session: Session, row: Rsvp) -> list[Rsvp]:
    """Return the answers of others who read the same mail."""
    address = sa.select(col(Member.address_key)).where(col(Member.id) == row.member_id).scalar_subquery()
    sharing = sa.select(col(Member.id)).where(col(Member.address_key) == address, col(Member.id) != row.member_id)
    asked = select(Rsvp).where(Rsvp.event_id == row.event_id, col(Rsvp.member_id).in_(sharing))
    return list(session.exec(asked))
