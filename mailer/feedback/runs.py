"""Looks at each run with something new: a mail host that fails in numbers, a mailing that goes wrong."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.feedback.causes import Cause, Verdict, verdict_of
from mailer.feedback.models import Feedback, Kind, Standing
from mailer.feedback.policy import Action, Run, outages, stop_reason
from mailer.outbox import control, ledger
from mailer.outbox.models import DeliveryState, Mailing
from subscribers import suppression

LATELY = timedelta(days=14)  # a run is over by then, and what comes back of it is
_HARD = tuple(cause for cause in Cause if verdict_of(cause) is Verdict.HARD)
_OUR_FAULTS = tuple(cause for cause in Cause if verdict_of(cause) is Verdict.BLOCKED)
_MEMBER_FAULTS = tuple(cause for cause in Cause if verdict_of(cause) in (Verdict.HARD, Verdict.SOFT))


def watch(session: Session, *, since: datetime, now: datetime) -> None:
    """Hold verdicts on hosts that fail in numbers and stop runs that go wrong, where something came after `since`."""
    fresh = select(Feedback.mailing_id).where(Feedback.received_at > since, Feedback.at > now - LATELY).distinct()
    for mailing in session.exec(fresh).all():
        row = session.exec(select(Mailing.plan, Mailing.resumed_at).where(Mailing.id == mailing)).first()
        plan, resumed_at = row if row is not None else (None, None)
        sent = ledger.counts(session.connection(), mailing, plan)[DeliveryState.SENT]
        _hold_outages(session, mailing, sent)
        if resumed_at is not None:
            sent = ledger.sent_since(session.connection(), mailing, plan, resumed_at)
        _stop(session, mailing, sent, resumed_at)


def _hold_outages(session: Session, mailing: int, sent: int) -> None:
    """Take back what was done about mailboxes of a host that fails in numbers, and hold it for a person."""
    count = sa.func.count(col(Feedback.address_key).distinct())
    rows = session.exec(
        select(Feedback.host_key, count)
        .where(Feedback.mailing_id == mailing, col(Feedback.cause).in_(_HARD), Feedback.standing != Standing.DISMISSED)
        .group_by(col(Feedback.host_key))
    )
    down = outages({host: number for host, number in rows if host is not None}, sent)
    for host in down:
        _hold(session, mailing, host)


def _hold(session: Session, mailing: int, host: bytes) -> None:
    done = select(Feedback).where(
        Feedback.mailing_id == mailing,
        Feedback.host_key == host,
        Feedback.action == Action.SUPPRESS,
        Feedback.kind == Kind.BOUNCE,
        Feedback.standing == Standing.JUDGED,
    )
    for feedback in session.exec(done):
        feedback.standing = Standing.HELD
        if feedback.address_key is not None:
            suppression.lift(session, feedback.address_key, reason="dead")


def _stop(session: Session, mailing: int, sent: int, resumed_at: datetime | None) -> None:
    """Stop a run that goes wrong. What came back before a person let it go on is weighed already."""
    new = sa.true() if resumed_at is None else col(Feedback.received_at) > resumed_at
    run = Run(
        sent=sent,
        bounced=_addresses(session, mailing, new & col(Feedback.cause).in_(_MEMBER_FAULTS)),
        complaints=_addresses(session, mailing, new & (col(Feedback.kind) == Kind.COMPLAINT)),
        faults=_addresses(session, mailing, new & col(Feedback.cause).in_(_OUR_FAULTS)),
    )
    reason = stop_reason(run)
    if reason is not None:
        control.hold(session.connection(), mailing, reason=reason)


def _addresses(session: Session, mailing: int, condition: sa.ColumnElement[bool]) -> int:
    count = sa.func.count(col(Feedback.address_key).distinct())
    found: int = session.exec(select(count).where(Feedback.mailing_id == mailing, condition)).one()
    return found


def held(session: Session, mailing: int | None = None) -> Sequence[Feedback]:
    """Return the events that wait for a person, of one mailing or of all."""
    waiting = select(Feedback).where(Feedback.standing == Standing.HELD)
    if mailing is not None:
        waiting = waiting.where(Feedback.mailing_id == mailing)
    return session.exec(waiting.order_by(col(Feedback.id))).all()


def our_faults(session: Session, *, since: datetime) -> list[tuple[int, str, str, int]]:
    """Return (mailing, its key, cause, how many letters) of what was refused for faults of ours."""
    rows = session.exec(
        select(Feedback.mailing_id, Mailing.key, Feedback.cause, sa.func.count())
        .join(Mailing, col(Mailing.id) == col(Feedback.mailing_id))
        .where(Feedback.action == Action.ALARM, Feedback.received_at > since)
        .group_by(col(Feedback.mailing_id), col(Mailing.key), col(Feedback.cause))
        .order_by(col(Feedback.mailing_id), col(Feedback.cause))
    )
    return [(mailing, key, str(cause), count) for mailing, key, cause, count in rows]


def waiting(session: Session) -> list[tuple[int, str, int]]:
    """Return (mailing, its key, how many addresses) where verdicts wait for a person."""
    rows = session.exec(
        select(Feedback.mailing_id, Mailing.key, sa.func.count(col(Feedback.address_key).distinct()))
        .join(Mailing, col(Mailing.id) == col(Feedback.mailing_id))
        .where(Feedback.standing == Standing.HELD)
        .group_by(col(Feedback.mailing_id), col(Mailing.key))
        .order_by(col(Feedback.mailing_id))
    )
    return list(rows)
