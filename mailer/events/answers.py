"""Answers to events as they are kept, and places as they are given.

The edge owns the transaction, and writers take turns (mailer.db): what is read here stays true until it commits, so no
place is given twice, on SQLite and PostgreSQL alike.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.events import attendance, entries
from mailer.events.attendance import Answer, Room, Standing, Wish
from mailer.events.details import EventState
from mailer.events.models import Event, EventShift, Rsvp, ShiftSwap, TakenShift
from mailer.events.rows import details_of, id_of

_PEOPLE = sa.func.coalesce(sa.func.sum(1 + col(Rsvp.companions)), 0)


class Given(NamedTuple):
    """What a member answered. `sequence`: the revision of the event that they saw then."""

    answer: Answer
    companions: int
    waiting: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people come, companions counted; how many of them wait for a place; how many answered otherwise."""

    coming: int
    waiting: int
    maybe: int
    no: int


def answers_of(session: Session, event_id: int) -> dict[int, Given]:
    """Return by member what was answered, members without an answer left out. One query, and no object per row."""
    return _given(session, col(Rsvp.member_id), col(Rsvp.event_id) == event_id)


def answers_by(session: Session, member_id: int) -> dict[int, Given]:
    """Return by event what a member answered."""
    return _given(session, col(Rsvp.event_id), col(Rsvp.member_id) == member_id)


def _given(session: Session, key: Any, condition: sa.ColumnElement[bool]) -> dict[int, Given]:
    answer = sa.type_coerce(col(Rsvp.answer), sa.String)  # turned into an Answer below: there are three
    columns: Any = (key, answer, Rsvp.companions, Rsvp.waiting, Rsvp.sequence)
    words = {one.value: one for one in Answer}
    rows = session.connection().execute(sa.select(*columns).where(condition))
    return {number: Given(words[word], *rest) for number, word, *rest in rows}


def find(session: Session, event_id: int, member_id: int) -> Standing | None:
    row = session.get(Rsvp, (event_id, member_id))
    return _standing(row) if row else None


def give(session: Session, event: Event, member_id: int, wish: Wish, *, now: datetime) -> Standing:
    """Write down what a member answers; the last word holds. raises Mistake, and nothing is changed"""
    details = details_of(session, event)
    attendance.require_open(details, cancelled=event.state is EventState.CANCELLED, now=now)
    row = session.get(Rsvp, (id_of(event), member_id))
    room = _room(session, event, besides=member_id)
    standing = attendance.decide(wish, _standing(row) if row else None, room, now=now)
    row = row or Rsvp(event_id=id_of(event), member_id=member_id, answer=wish.answer, since=now, answered_at=now)
    row.answer, row.companions = standing.wish.answer, standing.wish.companions
    row.waiting, row.since = standing.waiting, standing.since
    row.answered_at, row.sequence = now, event.sequence
    row.entry_due = entries.is_due(event, details, row)
    session.add(row)
    session.flush()
    return standing


def seen_before() -> sa.Select[int]:
    """Return the statement that finds the events that were changed since somebody who may come saw them."""
    older = sa.select(col(Event.id)).join(Rsvp).where(col(Rsvp.sequence) < col(Event.sequence))
    said = older.where(col(Rsvp.answer) != Answer.NO)
    had = sa.select(col(Event.id)).select_from(Event).join(EventShift).join(TakenShift)
    both = sa.union_all(said, had.where(col(TakenShift.sequence) < col(Event.sequence))).subquery()
    return sa.select(both.c.id)


def note_told(session: Session, event: Event, members: Collection[int]) -> None:
    """Note that these members know the event as it is now."""
    said = sa.and_(col(Rsvp.event_id) == id_of(event), col(Rsvp.member_id).in_(members))
    session.execute(sa.update(Rsvp).where(said).values(sequence=event.sequence))
    its = sa.select(col(EventShift.id)).where(col(EventShift.event_id) == id_of(event))
    had = sa.and_(col(TakenShift.shift_id).in_(its), col(TakenShift.member_id).in_(members))
    session.execute(sa.update(TakenShift).where(had).values(sequence=event.sequence))


def fill(session: Session, event: Event, *, now: datetime, most: int) -> list[int]:
    """Give free places to `most` of those who wait, in their order; returns who got one. None once it has begun."""
    if event.state is EventState.CANCELLED or event.starts_at <= now:
        return []
    waiting = sa.and_(col(Rsvp.event_id) == id_of(event), col(Rsvp.waiting))
    queue = sa.select(col(Rsvp.member_id), 1 + col(Rsvp.companions)).where(waiting)
    rows = session.execute(queue.order_by(col(Rsvp.since), col(Rsvp.member_id)).limit(most)).all()
    room = _room(session, event, besides=0)
    got = attendance.promoted(room.capacity, room.taken, [(member, people) for member, people in rows])
    if got:
        theirs = sa.and_(col(Rsvp.event_id) == id_of(event), col(Rsvp.member_id).in_(got))
        session.execute(sa.update(Rsvp).where(theirs).values(waiting=False))
    return got


def forget(session: Session, member_id: int) -> None:
    """Delete a member's answers and shifts; what becomes free by that, the clock gives to others."""
    session.execute(sa.delete(Rsvp).where(col(Rsvp.member_id) == member_id))
    session.execute(sa.delete(TakenShift).where(col(TakenShift.member_id) == member_id))
    session.execute(sa.delete(ShiftSwap).where(col(ShiftSwap.member_id) == member_id))


def over(before: datetime) -> sa.Select[int | None]:
    """Return the statement that finds the members of answers and shifts of events that ended before then."""
    ended = col(Event.ends_at) < before
    said = sa.select(col(Rsvp.member_id)).join(Event).where(ended)
    had = sa.select(col(TakenShift.member_id)).join(EventShift).join(Event).where(ended)
    return sa.select(sa.union_all(said, had).subquery().c.member_id)


def forget_over(session: Session, *, before: datetime, most: int) -> int:
    """Delete so many of them at most; returns how many."""
    ended = col(Event.ends_at) < before
    keys: Any = (Rsvp.event_id, Rsvp.member_id)
    answered = session.execute(sa.select(*keys).join(Event).where(ended).limit(most)).all()
    session.execute(sa.delete(Rsvp).where(sa.tuple_(*keys).in_([tuple(row) for row in answered])))
    keys = (TakenShift.shift_id, TakenShift.member_id)
    had = sa.select(*keys).join(EventShift).join(Event).where(ended)
    taken = session.execute(had.limit(most - len(answered))).all()
    its = sa.select(col(EventShift.id)).join(Event).where(ended)
    session.execute(sa.delete(ShiftSwap).where(col(ShiftSwap.shift_id).in_(its)))
    session.execute(sa.delete(TakenShift).where(sa.tuple_(*keys).in_([tuple(row) for row in taken])))
    return len(answered) + len(taken)


def held(session: Session, member_id: int) -> list[dict[str, object]]:
    """Return what is kept of a member's own answers and shifts."""
    answer: Any = col(Rsvp.answer).label("said")
    of_answer = (answer, Rsvp.companions, Rsvp.waiting, Rsvp.in_calendar, Rsvp.answered_at)
    columns: Any = (Event.title, Event.starts_at, *of_answer)
    said = sa.select(*columns).join(Event).where(col(Rsvp.member_id) == member_id).order_by(col(Rsvp.answered_at))
    return [dict(row) for row in session.execute(said).mappings()]


def held_shifts(session: Session, member_id: int) -> list[dict[str, object]]:
    shift: Any = (EventShift.starts_at, EventShift.ends_at, EventShift.place)
    columns: Any = (Event.title, *shift, TakenShift.taken_at, TakenShift.offered_at)
    query = sa.select(*columns).select_from(TakenShift).join(EventShift).join(Event)
    return [dict(row) for row in session.execute(query.where(col(TakenShift.member_id) == member_id)).mappings()]


def held_swaps(session: Session, member_id: int) -> list[dict[str, object]]:
    """Return the swaps that a member proposed: which shift they wished for."""
    wanted: Any = (EventShift.starts_at, EventShift.ends_at, EventShift.place)
    columns: Any = (Event.title, *wanted, ShiftSwap.proposed_at, ShiftSwap.withdrawn)
    query = sa.select(*columns).select_from(ShiftSwap)
    query = query.join(EventShift, col(EventShift.id) == col(ShiftSwap.wanted_id)).join(Event)
    return [dict(row) for row in session.execute(query.where(col(ShiftSwap.member_id) == member_id)).mappings()]


def tally(session: Session, event_id: int) -> Tally:
    kinds = (col(Rsvp.answer), col(Rsvp.waiting))
    rows = session.execute(sa.select(*kinds, _PEOPLE).where(col(Rsvp.event_id) == event_id).group_by(*kinds))
    counts = {(answer, waiting): int(people) for answer, waiting, people in rows}
    return Tally(
        coming=counts.get((Answer.YES, False), 0),
        waiting=counts.get((Answer.YES, True), 0),
        maybe=counts.get((Answer.MAYBE, False), 0),
        no=counts.get((Answer.NO, False), 0),
    )


def _room(session: Session, event: Event, *, besides: int) -> Room:
    others = sa.and_(col(Rsvp.event_id) == id_of(event), col(Rsvp.member_id) != besides, col(Rsvp.answer) == Answer.YES)
    rows = session.execute(sa.select(col(Rsvp.waiting), _PEOPLE).where(others).group_by(col(Rsvp.waiting)))
    people = {waiting: int(number) for waiting, number in rows}
    return Room(event.capacity, people.get(False, 0), queue=bool(people.get(True)))


def _standing(row: Rsvp) -> Standing:
    return Standing(Wish(row.answer, row.companions), row.waiting, row.since)
