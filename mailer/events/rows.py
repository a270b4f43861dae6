"""Between an event's rows and its Details."""

import json
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, delete, select

from mailer.events.details import NAMES, Details, Shift, Step
from mailer.events.models import Event, EventDistrict, EventShift

_APART = frozenset({"route", "shifts", "districts"})  # in forms or tables of their own
_PLAIN = tuple(name for name in NAMES if name not in _APART)


def id_of(event: Event) -> int:
    assert event.id is not None  # noqa: S101  it was read from the table, or flushed
    return event.id


def details_of(session: Session, event: Event) -> Details:
    return many_details(session, [event])[id_of(event)]


def many_details(session: Session, events: Collection[Event]) -> dict[int, Details]:
    """Return the details of each event by its id, in three questions to the database."""
    ids = [id_of(event) for event in events]
    districts: dict[int, set[str]] = {}
    shifts: dict[int, list[Shift]] = {}
    for tag in session.exec(select(EventDistrict).where(col(EventDistrict.event_id).in_(ids))):
        districts.setdefault(tag.event_id, set()).add(tag.slug)
    rows = select(EventShift).where(col(EventShift.event_id).in_(ids))
    for row in session.exec(rows.order_by(col(EventShift.starts_at), col(EventShift.place))):
        shifts.setdefault(row.event_id, []).append(Shift(row.starts_at, row.ends_at, row.place, row.needs))
    return {
        number: Details(
            **{name: getattr(event, name) for name in _PLAIN},
            route=_route(event.route),
            shifts=tuple(shifts.get(number, ())),
            districts=frozenset(districts.get(number, ())),
        )
        for number, event in zip(ids, events, strict=True)
    }


def write(session: Session, event: Event, details: Details) -> None:
    """Let the rows say what `details` says. A shift whose time and place stay keeps its id."""
    for name in _PLAIN:
        setattr(event, name, getattr(details, name))
    event.route = json.dumps([[step.at.isoformat(), step.what, step.place] for step in details.route])
    session.add(event)
    session.flush()
    session.exec(delete(EventDistrict).where(col(EventDistrict.event_id) == event.id))
    session.add_all(EventDistrict(event_id=id_of(event), slug=slug) for slug in details.districts)
    _write_shifts(session, id_of(event), details.shifts)
    session.flush()


def _write_shifts(session: Session, event: int, shifts: Collection[Shift]) -> None:
    there = {
        (row.starts_at, row.ends_at, row.place): row
        for row in session.exec(select(EventShift).where(EventShift.event_id == event))
    }
    for shift in shifts:
        row = there.pop((shift.starts_at, shift.ends_at, shift.place), None)
        row = row or EventShift(
            event_id=event, starts_at=shift.starts_at, ends_at=shift.ends_at, place=shift.place, needs=0
        )
        row.needs = shift.needs
        session.add(row)
    for row in there.values():
        session.delete(row)


def _route(stored: str) -> tuple[Step, ...]:
    return tuple(Step(datetime.fromisoformat(at), what, place) for at, what, place in json.loads(stored))
