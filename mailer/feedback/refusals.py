"""Refusals at the door: a delivery that a server refused becomes feedback like any other."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.feedback.causes import Cause, Verdict, cause_of, verdict_of
from mailer.feedback.events import Event
from mailer.feedback.models import Feedback, Kind
from mailer.feedback.reading.delivery_status import codes
from mailer.outbox.models import Delivery, DeliveryState, Mailing

LATELY = timedelta(days=14)
SOME = 500
_OURS = ("compose", "person", "mailing")  # codes of our own: no server said so


def collect(session: Session, *, now: datetime) -> list[Event]:
    """Return events for some refused deliveries that are none yet: call until there are no more."""
    known = sa.exists().where(col(Feedback.key) == sa.literal("refused:") + sa.cast(col(Delivery.id), sa.String))
    mailings = select(Mailing.id).where(Mailing.created_at > now - 4 * LATELY)
    rows = session.exec(
        select(Delivery)
        .where(
            col(Delivery.mailing_id).in_(mailings),
            Delivery.state == DeliveryState.FAILED,
            col(Delivery.settled_at) > now - LATELY,
            col(Delivery.code).is_not(None),
            col(Delivery.code).not_in(_OURS),
            ~known,
        )
        .order_by(col(Delivery.id))
        .limit(SOME)
    )
    return list(_events(rows, now))


def _events(rows: sa.ScalarResult[Delivery], now: datetime) -> Iterator[Event]:
    for delivery in rows:
        words, code = delivery.answer or "", delivery.code or ""
        status, reply = codes(words)
        status = code if "." in code else status
        yield Event(
            key=f"refused:{delivery.id}",
            kind=Kind.BOUNCE,
            source=delivery.provider or "smtp",
            member=delivery.household or delivery.member_id,
            mailing=delivery.mailing_id,
            at=delivery.settled_at or now,
            cause=_cause(status, reply, words, for_content=delivery.for_content),
            status=status,
            reply=reply,
            words=words,
        )


def _cause(status: str, reply: str, words: str, *, for_content: bool) -> Cause:
    """Name the cause of a refusal. One for what is in the letter blames nobody, whatever its words."""
    cause = cause_of(status, reply, words, "rcpt to")
    return Cause.CONTENT if for_content and verdict_of(cause) is not Verdict.BLOCKED else cause
