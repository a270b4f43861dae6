"""Shifts as they are taken, left, offered and taken over. Writers take turns, as with places: none is taken twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.errors import Mistake
from mailer.events import rota
from mailer.events.details import EventState, Shift
from mailer.events.models import Event, EventShift, TakenShift
from mailer.events.rota import Post
from mailer.events.rows import id_of

DAY_BEFORE = timedelta(days=1)  # before a shift its holders are reminded of it

# A taken shift is not what its holder was told.
_MOVED = sa.or_(
    col(EventShift.gone),
    col(EventShift.starts_at) != col(TakenShift.starts_at),
    col(EventShift.ends_at) != col(TakenShift.ends_at),
    col(EventShift.place) != col(TakenShift.place),
)


class Untold(NamedTuple):
    """A member whose shift is not what they were told. `shift` None: it is gone."""

    member: int
    told: Shift
    shift: Shift | None


class Taken(NamedTuple):
    """A shift that a member has taken. `from_member`: whose it was until then, None: nobody's."""

    shift: Shift
    from_member: int | None


def posts(session: Session, event_id: int) -> list[Post]:
    """Return the shifts of an event with those who have them, the next one first."""
    there = sa.and_(col(EventShift.event_id) == event_id, col(EventShift.gone).is_(False))
    rows = session.scalars(
        sa.select(EventShift).where(there).order_by(col(EventShift.starts_at), col(EventShift.place))
    )
    columns: Any = (TakenShift.shift_id, TakenShift.member_id, TakenShift.offered_at)
    taken = sa.select(*columns).join(EventShift).where(there)
    order = (col(TakenShift.offered_at), col(TakenShift.member_id))
    holders: dict[int, list[int]] = {}
    offering: dict[int, list[int]] = {}
    for shift, member, offered_at in session.execute(taken.order_by(*order)):
        holders.setdefault(shift, []).append(member)
        if offered_at is not None:
            offering.setdefault(shift, []).append(member)
    return [
        Post(number, _shift(row), frozenset(holders.get(number, ())), tuple(offering.get(number, ())))
        for row in rows
        if (number := row.id)
    ]


def taken_by(session: Session, event_id: int) -> dict[int, list[Shift]]:
    """Return by member the shifts that they have, the next one first. No object per row."""
    found: dict[int, list[Shift]] = {}
    for post in posts(session, event_id):
        for member in post.holders:
            found.setdefault(member, []).append(post.shift)
    return found


def seen_by(session: Session, event_id: int) -> dict[int, int]:
    """Return by member who has a shift the revision of the event that they saw last when taking one."""
    seen: Any = sa.func.max(col(TakenShift.sequence))
    query = sa.select(col(TakenShift.member_id), seen).join(EventShift)
    needed = query.where(col(EventShift.event_id) == event_id, col(EventShift.gone).is_(False))
    rows = session.execute(needed.group_by(col(TakenShift.member_id)))
    return {member: int(revision) for member, revision in rows}


def take(session: Session, event: Event, shift_id: int, member_id: int, *, now: datetime) -> Taken:
    """Give a member a shift. raises Mistake, and nothing is changed"""
    all_of_them = open_posts(session, event)
    post = one_of(all_of_them, shift_id)
    own = [other for other in all_of_them if member_id in other.holders]
    other = rota.taken_from(post, member_id, own, now=now)
    if other is not None:
        session.delete(session.get_one(TakenShift, (shift_id, other)))
    hold(session, event, post, member_id, now=now)
    return Taken(post.shift, other)


def hold(session: Session, event: Event, post: Post, member_id: int, *, now: datetime) -> None:
    """Write down that a member has a shift, and knows of it what holds now."""
    told = post.shift
    row = TakenShift(
        shift_id=post.id,
        member_id=member_id,
        taken_at=now,
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        place=told.place,
        sequence=event.sequence,
        reminded_at=now if told.starts_at <= now + DAY_BEFORE else None,
    )
    session.add(row)
    session.flush()


def leave(session: Session, event: Event, shift_id: int, member_id: int, *, now: datetime) -> None:
    """raises Mistake when the member does not have it, or it has begun"""
    session.delete(_own(session, event, shift_id, member_id, now))
    session.flush()


def offer(session: Session, event: Event, shift_id: int, member_id: int, *, now: datetime) -> None:
    """Let another take it over; until then it stays the member's. raises Mistake as `leave`"""
    row = _own(session, event, shift_id, member_id, now)
    row.offered_at = row.offered_at or now
    session.add(row)
    session.flush()


def keep(session: Session, event: Event, shift_id: int, member_id: int, *, now: datetime) -> None:
    """Offer it no longer. raises Mistake as `leave`, also when another has taken it over meanwhile"""
    row = _own(session, event, shift_id, member_id, now)
    row.offered_at = None
    session.add(row)
    session.flush()


def tell_changes(session: Session, event_id: int, *, now: datetime, most: int) -> list[Untold]:
    """Return whose shift was moved or is gone since they were told of it, `most` of them, and note that they are now.

    Of a shift that was over before, nobody needs to hear.
    """
    rows = session.exec(
        select(TakenShift, EventShift).join(EventShift).where(EventShift.event_id == event_id, _MOVED).limit(most)
    )
    found = []
    for taken, row in rows.all():
        told, shift = Shift(taken.starts_at, taken.ends_at, taken.place, row.needs), _shift(row)
        if row.gone:
            session.delete(taken)
        else:
            taken.starts_at, taken.ends_at, taken.place = shift.starts_at, shift.ends_at, shift.place
            if shift.starts_at <= now + DAY_BEFORE:
                taken.reminded_at = taken.reminded_at or now
            session.add(taken)
        if told.ends_at > now:
            found.append(Untold(taken.member_id, told, None if row.gone else shift))
    session.flush()
    nobodys = sa.and_(col(EventShift.gone), col(EventShift.id).not_in(sa.select(col(TakenShift.shift_id))))
    session.execute(sa.delete(EventShift).where(col(EventShift.event_id) == event_id, nobodys))
    return found


def remind(session: Session, event: Event, *, now: datetime, most: int) -> list[tuple[int, Shift]]:
    """Return `most` members with the shift that they are to be reminded of, and note that they are now."""
    if event.state is EventState.CANCELLED:
        return []
    query = select(TakenShift, EventShift).join(EventShift).where(EventShift.event_id == id_of(event), _due(now))
    found = []
    for taken, row in session.exec(query.limit(most)).all():
        taken.reminded_at = now
        session.add(taken)
        found.append((taken.member_id, _shift(row)))
    session.flush()
    return found


def to_remind(now: datetime) -> sa.Select[int]:
    """Return the statement that finds the events with a shift that somebody is to be reminded of."""
    return sa.select(col(EventShift.event_id)).join(TakenShift).where(_due(now))


def _due(now: datetime) -> sa.ColumnElement[bool]:
    begins = col(EventShift.starts_at)
    soon = sa.and_(begins > now, begins <= now + DAY_BEFORE)
    return sa.and_(soon, col(TakenShift.reminded_at).is_(None), col(EventShift.gone).is_(False), sa.not_(_MOVED))


def with_changes() -> sa.Select[int]:
    """Return the statement that finds the events in which somebody has a shift that is not what they were told."""
    return sa.select(col(EventShift.event_id)).join(TakenShift).where(_MOVED)


def open_posts(session: Session, event: Event) -> list[Post]:
    """Return the shifts of an event that takes place. raises Mistake"""
    if event.state is EventState.CANCELLED:
        raise Mistake("It does not take place, so there is nothing to answer.")
    return posts(session, id_of(event))


def one_of(there: Sequence[Post], shift_id: int) -> Post:
    """raises Mistake when it is not one of this event's"""
    found = next((post for post in there if post.id == shift_id), None)
    if found is None:
        raise Mistake("That shift is there no longer.")
    return found


def _own(session: Session, event: Event, shift_id: int, member_id: int, now: datetime) -> TakenShift:
    rota.require_to_come(one_of(open_posts(session, event), shift_id), now)
    row = session.get(TakenShift, (shift_id, member_id))
    if row is None:
        raise Mistake("You do not have that shift, or not any more.")
    return row


def require_own(session: Session, event: Event, shift_id: int, member_id: int, now: datetime) -> None:
    """raises Mistake as `leave`"""
    _own(session, event, shift_id, member_id, now)


def _shift(row: EventShift) -> Shift:
    return Shift(row.starts_at, row.ends_at, row.place, row.needs)
