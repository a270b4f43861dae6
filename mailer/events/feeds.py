"""Which events a public calendar shows."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from mailer.events.models import Event, EventDistrict
from subscribers.models import District

STAYS = timedelta(days=60)  # after its end, so that whoever looks then still finds where they were
MOST = 1000


def of_everybody(session: Session, now: datetime) -> list[Event]:
    """Return all events, the next one first."""
    query = select(Event).where(col(Event.ends_at) >= now - STAYS).order_by(col(Event.starts_at), col(Event.id))
    return list(session.exec(query.limit(MOST)))


def of_district(session: Session, slug: str, now: datetime) -> list[Event]:
    """Return what concerns those who live in a district: its own events, those of what it is a part of, everybody's."""
    tagged = select(EventDistrict.event_id)
    theirs = tagged.where(col(EventDistrict.slug).in_(upwards(slug, _parents(session))))
    query = select(Event).where(
        col(Event.ends_at) >= now - STAYS, or_(col(Event.id).in_(theirs), col(Event.id).not_in(tagged))
    )
    return list(session.exec(query.order_by(col(Event.starts_at), col(Event.id)).limit(MOST)))


def upwards(slug: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the district and all those above it."""
    found: list[str] = []
    place: str | None = slug
    while place is not None and place not in found:
        found.append(place)
        place = parents.get(place)
    return tuple(found)


def _parents(session: Session) -> dict[str, str | None]:
    rows = session.exec(select(District.id, District.slug, District.parent_id)).all()
    slugs = {number: slug for number, slug, _ in rows}
    return {slug: slugs.get(parent) if parent else None for _, slug, parent in rows}
