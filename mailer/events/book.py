"""The book of events: what is said of them is written down, and every change is a revision of its own."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from mailer.errors import Mistake
from mailer.events.details import STATE, Details, EventState, differing, kept, state_after
from mailer.events.models import Event, EventRevision
from mailer.events.rows import details_of, id_of, write
from mailer.events.said import Fault, Said
from mailer.events.written import merged, read_table
from mailer.sentences import Sentence
from subscribers.errors import Refused
from subscribers.listing import find_district

WRITTEN_HERE = "own"  # the source of such events
_LARGEST_ID = 2**31 - 1


class Act(NamedTuple):
    """Who says something of an event, and when. `by`: the operator of the config, None: it names none."""

    by: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """How many events an import found new, changed and unchanged; those it could not take, and the ids of the first."""

    added: int
    changed: int
    unchanged: int
    faults: tuple[Fault, ...] = ()
    written: tuple[int, ...] = ()


def find_event(session: Session, said: str) -> Event:
    """Find an event by its number or its key. raises Mistake"""
    query = select(Event).where(Event.key == said)
    if said.isascii() and said.isdecimal() and int(said) <= _LARGEST_ID:
        query = select(Event).where(Event.id == int(said))
    found = session.exec(query).all()
    if len(found) == 1:
        return found[0]
    if found:
        raise Mistake("Several events are called {name}: say its number, as `utskick events list` shows it.", name=said)
    raise Mistake("There is no event {name}; `utskick events list` shows those there are.", name=said)


def of_source(session: Session, source: str) -> list[Event]:
    return list(session.exec(select(Event).where(Event.source == source)))


def add(
    session: Session, table: Mapping[str, Any], *, zone: str, host: str, by: str | None = None, now: datetime
) -> Event:
    """Write an event that a person says whole. raises Mistake, Refused

    host  the end of its UID
    by    here and below: as Act has it
    """
    said = read_table(_key_for(table), {name: value for name, value in table.items() if value is not None}, zone)
    if session.exec(select(Event.id).where(Event.source == WRITTEN_HERE, Event.key == said.key)).first():
        raise Mistake("There is an event {key} already; change that one with `utskick events edit`.", key=said.key)
    return _begin(session, WRITTEN_HERE, _in_known_districts(session, said), host, Act(by, now))


def edit(
    session: Session, event: Event, table: Mapping[str, Any], *, by: str | None = None, now: datetime
) -> tuple[str, ...]:
    """Say something of an event otherwise; an import leaves it so. Returns the names of what changed.

    raises  Mistake, Refused
    """
    old = details_of(session, event)
    # The key may be a calendar's, of any form: it is not read anew.
    said = _in_known_districts(session, merged(old, table, WRITTEN_HERE))
    cancelled = said.cancelled if "cancelled" in table else event.state is EventState.CANCELLED
    changed = _revise(session, event, replace(said, cancelled=cancelled), Act(by, now))
    event.locked = ",".join(sorted({*filter(None, event.locked.split(",")), *changed}))
    session.add(event)
    return changed


def cancel(session: Session, event: Event, *, off: bool, by: str | None = None, now: datetime) -> bool:
    """Say that an event does not take place, or with `off` that it does after all. Returns whether that is new."""
    return bool(edit(session, event, {"cancelled": not off}, by=by, now=now))


def bring_in(
    session: Session, source: str, events: Iterable[Said], *, host: str, by: str | None = None, now: datetime
) -> Stored:
    """Write down what a file or a calendar says. Safe to repeat; one that cannot be taken stops no other.

    An event that is no longer in its source stays as it is: it is cancelled by a person, or by a source that says so.
    """
    added = changed = unchanged = 0
    faults, written = [], []
    for said in events:
        try:
            known = _known(session, source, said)
            said = _in_known_districts(session, said)  # noqa: PLW2901  # the same one, with the districts' slugs
        except (Mistake, Refused) as error:
            faults.append(Fault(said.key, Sentence(error.sentence, error.values)))
            continue
        if known is None:
            written.append(id_of(_begin(session, source, said, host, Act(by, now))))
            added += 1
        elif _revise(session, known, _unlocked(session, known, said), Act(by, now)):
            written.append(id_of(known))
            changed += 1
        else:
            unchanged += 1
    return Stored(added, changed, unchanged, tuple(faults), tuple(written))


def _known(session: Session, source: str, said: Said) -> Event | None:
    """raises Mistake when another source's event has its UID: nobody takes over what is not theirs"""
    found = session.exec(select(Event).where(Event.source == source, Event.key == said.key)).first()
    if found is None and said.uid:
        taken = session.exec(select(Event).where(Event.uid == said.uid)).first()
        if taken:
            raise Mistake("it is event {id} of {source}: name that one with --source", id=taken.id, source=taken.source)
    return found


def _unlocked(session: Session, event: Event, said: Said) -> Said:
    locked = event.locked.split(",")
    cancelled = event.state is EventState.CANCELLED if STATE in locked else said.cancelled
    return replace(said, details=kept(details_of(session, event), said.details, locked), cancelled=cancelled)


def _begin(session: Session, source: str, said: Said, host: str, act: Act) -> Event:
    event = Event(
        source=source,
        key=said.key,
        uid=said.uid or f"{said.key}.{source}@{host}",
        state=state_after((), cancelled=said.cancelled),
        sequence=said.sequence,
        created_at=act.now,
        changed_at=act.now,
        title=said.details.title,
        starts_at=said.details.starts_at,
        ends_at=said.details.ends_at,
        zone=said.details.zone,
    )
    write(session, event, said.details)
    _note(session, event, said.details, (), act)
    return event


def _revise(session: Session, event: Event, said: Said, act: Act) -> tuple[str, ...]:
    """Write down what is said otherwise than before, as a revision. Returns the names of it; none: nothing is done."""
    changed = differing(details_of(session, event), said.details)
    if said.cancelled is not (event.state is EventState.CANCELLED):
        changed = (*changed, STATE)
    if not changed:
        return ()
    event.sequence = max(event.sequence + 1, said.sequence)
    event.changed_at = act.now
    event.state = state_after([*_changes(session, event), changed], cancelled=said.cancelled)
    write(session, event, said.details)
    _note(session, event, said.details, changed, act)
    return changed


def _note(session: Session, event: Event, details: Details, changed: Collection[str], act: Act) -> None:
    session.add(
        EventRevision(
            event_id=id_of(event),
            sequence=event.sequence,
            at=act.now,
            changed=",".join(changed),
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            place=event.place,
            meeting_point=event.meeting_point,
            route=event.route,
            cancelled=event.state is EventState.CANCELLED,
            said_by=act.by,
            districts=" ".join(sorted(details.districts)),
        )
    )
    session.flush()


def _changes(session: Session, event: Event) -> list[list[str]]:
    return [revision.changed.split(",") for revision in revisions(session, event) if revision.changed]


def revisions(session: Session, event: Event) -> list[EventRevision]:
    """Return what was said of an event, the first first."""
    query = select(EventRevision).where(EventRevision.event_id == event.id)
    return list(session.exec(query.order_by(col(EventRevision.sequence))))


def _in_known_districts(session: Session, said: Said) -> Said:
    """Return the event with its districts by their slugs. raises Refused"""
    slugs = frozenset(find_district(session, name).slug for name in said.details.districts)
    return said if slugs == said.details.districts else replace(said, details=replace(said.details, districts=slugs))


def _key_for(table: Mapping[str, Any]) -> str:
    """Make a key of the day and the title: "2027-05-01-forsta-maj"."""
    words = unicodedata.normalize("NFKD", f"{str(table.get('starts'))[:10]} {table.get('title') or ''}")
    ascii_words = words.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_words).strip("-")[:64].rstrip("-") or "event"
