"""Between an event's rows and its Details."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, select

from mailer.events.details import NAMES, Details, Shift, Step
from mailer.events.models import Event, EventDistrict, EventShift, ShiftSwap, TakenShift
from mailer.events.rota import redraw

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
    rows = select(EventShift).where(col(EventShift.event_id).in_(ids), col(EventShift.gone).is_(False))
    for row in session.exec(rows.order_by(col(EventShift.starts_at), col(EventShift.place))):
        shifts.setdefault(row.event_id, []).append(Shift(row.starts_at, row.ends_at, row.place, row.needs))
    return {
        number: Details(
            **{name: getattr(event, name) for name in _PLAIN},
            route=steps_of(event.route),
            shifts=tuple(shifts.get(number, ())),
            districts=frozenset(districts.get(number, ())),
        )
        for number, event in zip(ids, events, strict=True)
    }


def write(session: Session, event: Event, details: Details) -> None:
    """Let the rows say what `details` says. A shift that stays, or is only moved, keeps its id."""
    for name in _PLAIN:
        setattr(event, name, getattr(details, name))
    event.route = json.dumps([[step.at.isoformat(), step.what, step.place] for step in details.route])
    session.add(event)
    session.flush()
    session.exec(delete(EventDistrict).where(col(EventDistrict.event_id) == event.id))
    session.add_all(EventDistrict(event_id=id_of(event), slug=slug) for slug in details.districts)
    _write_shifts(session, id_of(event), details.shifts)
    session.flush()


def _write_shifts(session: Session, event: int, shifts: Sequence[Shift]) -> None:
    """A shift that is needed no longer goes when nobody has it; else it waits until those who do are told."""
    there = select(EventShift).where(EventShift.event_id == event, col(EventShift.gone).is_(False))
    rows = {row.id or 0: row for row in session.exec(there)}
    known = [(number, Shift(row.starts_at, row.ends_at, row.place, row.needs)) for number, row in rows.items()]
    redrawn, moved = redraw(known, shifts), list[int]()
    for number, shift in redrawn.kept.items():
        row = rows[number]
        if (row.starts_at, row.ends_at, row.place) != (shift.starts_at, shift.ends_at, shift.place):
            moved.append(number)
        row.starts_at, row.ends_at, row.place, row.needs = shift.starts_at, shift.ends_at, shift.place, shift.needs
        session.add(row)
    for shift in redrawn.new:
        session.add(
            EventShift(
                event_id=event, starts_at=shift.starts_at, ends_at=shift.ends_at, place=shift.place, needs=shift.needs
            )
        )
    _forget_wishes(session, [*moved, *redrawn.gone])
    taken = session.exec(select(TakenShift.shift_id).where(col(TakenShift.shift_id).in_(redrawn.gone))).all()
    for number in redrawn.gone:
        rows[number].gone = True
        session.delete(rows[number]) if number not in taken else session.add(rows[number])


def _forget_wishes(session: Session, shifts: Sequence[int]) -> None:
    """Delete the wishes to swap these shifts: what was moved or is gone is not what somebody wished for."""
    about = col(ShiftSwap.shift_id).in_(shifts) | col(ShiftSwap.wanted_id).in_(shifts)
    session.exec(delete(ShiftSwap).where(about))


def steps_of(stored: str) -> tuple[Step, ...]:
    """Return the steps of a route as a row has it."""
    return tuple(Step(datetime.fromisoformat(at), what, place) for at, what, place in json.loads(stored))
