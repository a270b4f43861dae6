"""When an edition goes out: planned by the clock at its time, or by hand; held when it is too late to guess."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.collector import uncollected
from mailer.config import Settings
from mailer.digest.editions import mailing_of
from mailer.digest.models import Edition
from mailer.digest.plan import assign, prepare, readers_with_had, to_write
from mailer.digest.shelving import shelve
from mailer.errors import Mistake
from mailer.links import Links
from mailer.outbox.enqueue import Overtaken, begin, write_plan
from mailer.outbox.models import Mailing, MailingState
from mailer.sentences import N_, Progress, Word, quiet
from subscribers.reader import Reader

NOT_IN_TIME = N_("It was not sent in time: send it by hand, or cancel it.")
_TELL_EVERY = 1000  # readers
_UNBEGUN = (MailingState.APPROVED, MailingState.HELD)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan came to. A reader is a household, with one mail; `candidates` and `silent` are members.

    silent  have nothing new, or had this month's
    """

    key: str
    readers: int
    variants: int
    mails: int
    candidates: int
    silent: int


@dataclass(frozen=True, slots=True)
class Press:
    """What editions are planned with. `newcomers`: as `prepare` takes it."""

    engine: sa.Engine
    settings: Settings
    links: Links
    newcomers: Mapping[str, int] = field(default_factory=dict)


@uncollected()
def plan_edition(press: Press, edition_id: int, now: datetime, progress: Progress = quiet) -> Planned:
    """Plan an approved edition as of `now` and hand it to the outbox.

    raises  Overtaken  when another program planned it, or someone stopped it, in the meantime
    """
    settings, engine = press.settings, press.engine
    with db.reading(engine) as session:
        mailing_id, key = session.exec(
            select(Mailing.id, Mailing.key)
            .join(Edition, col(Edition.mailing_id) == col(Mailing.id))
            .where(Edition.id == edition_id)
        ).one()
    ticket = begin(engine, mailing_id or 0)
    with db.reading(engine) as session:
        basis = prepare(session, settings, session.get_one(Edition, edition_id), press.links, now, press.newcomers)
        readers = readers_with_had(session.connection(), basis, now.astimezone(settings.site.zone))
        assignment = assign(basis, _counted(readers, progress))
        plan = to_write(basis, assignment, shelve(session.connection(), basis))
    candidates = write_plan(ticket, plan, now=now, progress=progress)
    return Planned(
        key=key,
        readers=assignment.readers,
        variants=len(assignment.forms),
        mails=assignment.mails,
        candidates=candidates,
        silent=assignment.silent,
    )


def _counted(readers: Iterable[tuple[Reader, int]], progress: Progress) -> Iterator[tuple[Reader, int]]:
    for number, reader in enumerate(readers, start=1):
        yield reader
        if number % _TELL_EVERY == 0:
            progress("Deciding who gets what", number, None)


def bring_forward(session: Session, settings: Settings, edition: Edition, now: datetime) -> datetime:
    """Give an approved edition its turn now, because a person says so: before its time, or after it was held.

    returns  when it may begin, which is later than `now` as long as its approval can be taken back
    raises   Mistake
    """
    mailing = mailing_of(session, edition)
    if mailing.state is MailingState.DRAFT:
        raise Mistake("The edition {key} is not approved: run `utskick editions approve {key}` first.", key=mailing.key)
    if mailing.state not in _UNBEGUN or mailing.plan is not None:
        raise Mistake(
            "The edition {key} is {state}: `utskick outbox status` shows how it goes.",
            key=mailing.key,
            state=Word(mailing.state),
        )
    begins = max(now, edition.not_before or now)
    mailing.state, mailing.reason = MailingState.APPROVED, ""
    mailing.send_at = min(mailing.send_at or now, now)
    mailing.late_at = begins + settings.digest.grace  # the person has decided that now is not too late
    mailing.give_up_at = begins + settings.outbox.give_up_after
    session.flush()
    return begins


def send_now(press: Press, edition_id: int, now: datetime, progress: Progress = quiet) -> Planned:
    """Plan an edition because a person says so. raises Mistake, also as long as its approval can be taken back"""
    with db.writing(press.engine) as session:
        edition = session.exec(select(Edition).where(Edition.id == edition_id)).one()
        if bring_forward(session, press.settings, edition, now) > now:
            raise Mistake(
                "{key} can still be taken back, and goes out after that.", key=mailing_of(session, edition).key
            )
    return plan_edition(press, edition_id, now, progress)


def send_due(press: Press, now: datetime) -> list[Planned]:
    """Plan every approved edition whose time has come. Safe to repeat, to miss, and to run twice at once."""
    with db.writing(press.engine) as session:
        hold_unplanned(session, now)
        if press.settings.digest.auto_approve:
            approve_due(session, now)
        due = [edition.id for edition in _due(session, MailingState.APPROVED, now) if edition.id]
    planned = []
    for edition_id in due:
        try:
            planned.append(plan_edition(press, edition_id, now))
        except Overtaken:
            continue  # the other program has the mailing: that is what the key is for
    return planned


def hold_unplanned(session: Session, now: datetime) -> None:
    """Hold the approved editions that are later than their grace: a person decides what becomes of them.

    Those that were planned in time and not begun are the outbox's to hold (mailer.outbox.control.hold_late).
    """
    for edition in _due(session, MailingState.APPROVED, now):
        mailing = mailing_of(session, edition)
        if mailing.late_at is not None and mailing.late_at < now:
            mailing.state, mailing.reason = MailingState.HELD, NOT_IN_TIME
    session.flush()


def approve_due(session: Session, now: datetime) -> None:
    """Approve by itself the drafts whose time has come, unless they are already late."""
    for edition in _due(session, MailingState.DRAFT, now):
        mailing = mailing_of(session, edition)
        if mailing.late_at is None or mailing.late_at >= now:
            mailing.state = MailingState.APPROVED
            edition.approved_at, edition.approved_by = now, "auto_approve"
    session.flush()


def _due(session: Session, state: MailingState, now: datetime) -> list[Edition]:
    due = select(Edition).join(Mailing, col(Mailing.id) == col(Edition.mailing_id))
    waiting = due.where(
        Mailing.state == state,
        col(Mailing.plan).is_(None),
        col(Mailing.send_at) <= now,
        sa.or_(col(Edition.not_before).is_(None), col(Edition.not_before) <= now),
    )
    return list(session.exec(waiting.order_by(col(Edition.id))))
