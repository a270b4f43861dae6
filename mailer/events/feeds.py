"""Which events a calendar shows, and which concern a member."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from mailer.events.models import Event, EventDistrict
from subscribers.reference import parents
from subscribers.tree import steps_up

STAYS = timedelta(days=60)  # after its end, so that whoever looks then still finds where they were
MOST = 1000


def of_everybody(session: Session, now: datetime) -> list[Event]:
    """Return all events, the next one first."""
    query = select(Event).where(col(Event.ends_at) >= now - STAYS).order_by(col(Event.starts_at), col(Event.id))
    return list(session.exec(query.limit(MOST)))


def of_district(session: Session, slug: str, now: datetime) -> list[Event]:
    """Return what concerns those who live in a district: its own events, those of what it is a part of, everybody's."""
    return _first(session, [slug], now - STAYS, MOST)


def to_come(session: Session, districts: Collection[str], now: datetime) -> list[Event]:
    """Return what is not over of all that concerns somebody who chose these districts."""
    return _first(session, districts, now, MOST)


def is_any_to_come(session: Session, districts: Collection[str], now: datetime) -> bool:
    """Say whether `to_come` has anything."""
    return bool(_first(session, districts, now, 1))


def _first(session: Session, districts: Collection[str], since: datetime, most: int) -> list[Event]:
    tagged = select(EventDistrict.event_id)
    theirs = tagged.where(col(EventDistrict.slug).in_(steps_up(districts, parents(session))))
    query = select(Event).where(
        col(Event.ends_at) >= since, or_(col(Event.id).in_(theirs), col(Event.id).not_in(tagged))
    )
    return list(session.exec(query.order_by(col(Event.starts_at), col(Event.id)).limit(most)))
