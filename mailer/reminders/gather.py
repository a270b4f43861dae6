"""Everything letters about events need to know, read from the database into frozen values."""

from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.events import entries, shifts
from mailer.events.answers import answers_of
from mailer.events.attendance import Answer
from mailer.events.details import Details, EventState
from mailer.events.models import Event, EventRevision
from mailer.events.rows import id_of, many_details, steps_of
from mailer.outbox.history import HAD, variants_had
from mailer.outbox.models import Delivery, DeliveryState, Mailing, Variant, VariantEvent
from mailer.reminders.dossier import Dossier, Letter, Said, Where, is_news
from mailer.reminders.due import THANKS_FOR
from mailer.reminders.models import Reminder
from subscribers.models import District, Member

_LOOK_BACK = THANKS_FOR + timedelta(days=7)
WEEK = timedelta(days=7)
_ARRIVED = (DeliveryState.SENT, DeliveryState.UNCERTAIN)


def dossiers(session: Session, now: datetime, only: int | None = None) -> list[Dossier]:
    """Return the events that letters can still be due about, or the one that is asked for."""
    asked = col(Event.id) == only if only is not None else col(Event.ends_at) > now - _LOOK_BACK
    events = session.exec(select(Event).where(asked).order_by(col(Event.starts_at), col(Event.id))).all()
    details = many_details(session, events)
    revisions, letters = _revisions(session, list(details)), _letters(session, list(details))
    return [
        Dossier(
            id=number,
            key=event.key,
            sequence=event.sequence,
            details=details[number],
            cancelled=event.state is EventState.CANCELLED,
            created_at=event.created_at,
            revisions=revisions[number],
            letters=letters[number],
        )
        for event in events
        for number in (id_of(event),)
    ]


def _revisions(session: Session, events: Sequence[int]) -> dict[int, dict[int, Said]]:
    found: dict[int, dict[int, Said]] = {event: {} for event in events}
    query = select(EventRevision).where(col(EventRevision.event_id).in_(events))
    for row in session.exec(query.order_by(col(EventRevision.sequence))):
        where = Where(row.starts_at, row.ends_at, row.place, row.meeting_point, row.route, row.cancelled)
        districts = None if row.districts is None else frozenset(row.districts.split())
        found[row.event_id][row.sequence] = Said(row.at, where, row.said_by, districts)
    return found


def _letters(session: Session, events: Sequence[int]) -> dict[int, tuple[Letter, ...]]:
    tells = _tellings(session, events)
    steps = {row.mailing_id: row for row in session.exec(select(Reminder).where(col(Reminder.event_id).in_(events)))}
    mailings = {
        row.id: row
        for row in session.exec(select(Mailing).where(col(Mailing.id).in_({*steps, *(one for _, one in tells)})))
    }
    asked = {(row.event_id, row.mailing_id) for row in steps.values()} | tells.keys()
    found: dict[int, list[Letter]] = {event: [] for event in events}
    for event, number in asked:
        mailing, step = mailings[number], steps.get(number)
        found[event].append(
            Letter(
                mailing=number,
                key=mailing.key,
                publication=mailing.publication,
                state=mailing.state,
                reason=mailing.reason,
                planned=mailing.plan is not None,
                step=step.step if step else None,
                at=mailing.started_at or mailing.send_at or mailing.created_at,
                tells=tells.get((event, number), frozenset()),
            )
        )
    return {event: tuple(sorted(some, key=lambda one: (one.at, one.mailing))) for event, some in found.items()}


def _tellings(session: Session, events: Sequence[int]) -> dict[tuple[int, int], frozenset[int]]:
    """Return which revisions of these events the variants of valid plans tell, by event and mailing."""
    query = (
        sa.select(col(VariantEvent.event_id), col(Variant.mailing_id), col(VariantEvent.sequence))
        .distinct()
        .join(Variant, col(Variant.id) == col(VariantEvent.variant_id))
        .join(Mailing, sa.and_(col(Mailing.id) == col(Variant.mailing_id), col(Mailing.plan) == col(Variant.plan)))
        .where(col(VariantEvent.event_id).in_(events))
    )
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for event, mailing, revision in session.execute(query):
        found[event, mailing].add(revision)
    return {key: frozenset(revisions) for key, revisions in found.items()}


def telling(connection: sa.Connection, event: int, mailing: int) -> dict[int, int]:
    """Return the variants of a mailing that tell of an event: variant -> revision. A digest has thousands."""
    query = (
        sa.select(col(VariantEvent.variant_id), col(VariantEvent.sequence))
        .join(Variant, col(Variant.id) == col(VariantEvent.variant_id))
        .where(col(VariantEvent.event_id) == event, col(Variant.mailing_id) == mailing)
    )
    rows = connection.execute(query).all()
    return {row.variant_id: row.sequence for row in rows}


def as_it_was(dossier: Dossier, revision: int) -> Details:
    """Return the details with time and place as that revision had them."""
    where = dossier.revisions[revision].where
    return replace(
        dossier.details,
        starts_at=where.starts_at,
        ends_at=where.ends_at,
        place=where.place,
        meeting_point=where.meeting_point,
        route=steps_of(where.route),
    )


def names(session: Session) -> dict[str, str]:
    return dict(session.exec(select(District.slug, District.name)).all())


def told_lately(connection: sa.Connection, dossier: Dossier, since: datetime) -> bytearray:
    """Return, by member id, who was told of the event as it is now after `since`: by a digest, or because it changed.

    The steps of its ladder do not count: the config says how far apart they are.
    """
    told = bytearray(_last_member(connection) + 1)
    for letter in dossier.letters:
        if letter.at <= since or (letter.step and not is_news(letter.step)):
            continue
        tells = telling(connection, dossier.id, letter.mailing)
        present = {variant for variant, revision in tells.items() if not dossier.outdated(revision)}
        for member, variant in enumerate(variants_had(connection, letter.mailing, present)):
            if variant:
                told[member] = 1
    return told


def had_this_week(connection: sa.Connection, mailing: int, now: datetime) -> bytearray:
    """Return, by member id, how many letters about events they have had in the seven days before `now`."""
    recent = connection.scalars(
        sa.select(col(Reminder.mailing_id))
        .join(Mailing, col(Mailing.id) == col(Reminder.mailing_id))
        .where(col(Mailing.plan).is_not(None), col(Mailing.id) != mailing)
        .where(sa.func.coalesce(col(Mailing.started_at), col(Mailing.send_at)) > now - WEEK)
    ).all()
    counted = bytearray(_last_member(connection) + 1)
    for number in recent:
        rows = connection.scalars(sa.select(col(VariantEvent.variant_id)).where(_of_mailing(number)))
        variants = set(rows)
        for member, variant in enumerate(variants_had(connection, number, variants)):
            if variant and counted[member] < 255:  # noqa: PLR2004  # as many as a byte holds
                counted[member] += 1
    return counted


def last_told(connection: sa.Connection, dossier: Dossier, seen: Mapping[int, int]) -> "array[int]":
    """Return, by member id, the revision that each was last told by letter or saw on a page, plus one; 0: none.

    What still waits of the event's own letters is brought up to date or withdrawn; a digest that waits will tell.
    Revisions only grow, so of what a page showed (`seen`) and what a letter told the higher one came later.
    """
    told = array("I", bytes(4 * (_last_member(connection) + 1)))
    for letter in dossier.letters:
        states = _ARRIVED if letter.step else HAD
        tells = telling(connection, dossier.id, letter.mailing)
        for member, variant in enumerate(variants_had(connection, letter.mailing, tells, states)):
            if variant:
                told[member] = tells[variant] + 1
    for member, revision in seen.items():
        told[member] = max(told[member], revision + 1)
    return told


def told_beside(connection: sa.Connection, mailings: Collection[int]) -> bytearray:
    """Return, by member id, who has a delivery of any of these mailings."""
    found = bytearray(_last_member(connection) + 1)
    for mailing in mailings:
        for member in connection.scalars(sa.select(col(Delivery.member_id)).where(col(Delivery.mailing_id) == mailing)):
            found[member] = 1
    return found


class Answers(NamedTuple):
    """Members who said yes and have a place, those who said no, and what others saw of the event: member -> revision.

    seen     of who may come: who said yes or maybe, or has a shift
    entered  who has it in their calendar by a letter: what changes they are told by one that changes that too
    """

    coming: frozenset[int]
    declined: frozenset[int]
    seen: Mapping[int, int]
    entered: frozenset[int] = frozenset()


def answers(session: Session, event: int) -> Answers:
    given = answers_of(session, event)
    seen = shifts.seen_by(session, event)
    for member, said in given.items():
        if said.answer is not Answer.NO or member in seen:
            seen[member] = max(seen.get(member, 0), said.sequence)
    return Answers(
        coming=frozenset(one for one, said in given.items() if said.answer is Answer.YES and not said.waiting),
        declined=frozenset(one for one, said in given.items() if said.answer is Answer.NO),
        seen=seen,
        entered=entries.has_one(session, event),
    )


def _of_mailing(number: int) -> sa.ColumnElement[bool]:
    variants = sa.select(col(Variant.id)).where(col(Variant.mailing_id) == number)
    return col(VariantEvent.variant_id).in_(variants)


def _last_member(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(col(Member.id)))) or 0


def outdated_variants(connection: sa.Connection, dossier: Dossier, letter: Letter) -> list[int]:
    """Return the variants of a letter that tell what is not so any more and that somebody still waits for."""
    tells = telling(connection, dossier.id, letter.mailing)
    stale = [variant for variant, revision in tells.items() if dossier.outdated(revision)]
    waiting = sa.select(col(Delivery.variant_id)).where(
        col(Delivery.mailing_id) == letter.mailing,
        col(Delivery.variant_id).in_(stale),
        col(Delivery.state) == DeliveryState.QUEUED,
    )
    return sorted(connection.scalars(waiting.distinct()))
