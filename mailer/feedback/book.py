"""Takes events in, once each, and does what follows from them. The caller's transaction; nothing is sent."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from mailer.feedback.causes import Cause
from mailer.feedback.events import Event
from mailer.feedback.models import Feedback, Kind, Standing
from mailer.feedback.policy import Action, Strike, decide
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from subscribers import suppression
from subscribers.models import Member, Scope
from subscribers.sealed import lookup_key

REMEMBERED = timedelta(days=120)  # strikes older than this decide nothing
SETTLED_AFTER = timedelta(days=2)  # a mail of which nothing was heard for so long has arrived
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def take_in(session: Session, event: Event, *, now: datetime) -> bool:
    """Keep an event and act on it; False when it is known already, and nothing is done twice.

    An event about someone who was erased, about no member of ours, or about an address that the member had before, is
    kept and means nothing.
    """
    member = session.get(Member, event.member)
    if member is not None and event.kind is Kind.BOUNCE and _is_of_an_older_address(session, event, member):
        member = None
    address = member.address if member is not None else None
    row = {
        "key": event.key[:128],
        "kind": event.kind,
        "source": event.source,
        "member_id": event.member,
        "mailing_id": event.mailing,
        "address_key": member.address_key if member is not None else None,
        "host_key": host_key(address) if address else None,
        "at": event.at,
        "received_at": now,
        "cause": event.cause,
        "status": event.status[:16],
        "reply": event.reply[:8],
        "words": event.words[:500],
        "action": Action.NOTHING,
        "standing": Standing.JUDGED,
    }
    insert = insert_of(session, Feedback).values(**row).on_conflict_do_nothing(index_elements=["key"])
    number: int | None = session.scalar(insert.returning(col(Feedback.id)))
    if number is None:
        return False
    _act(session, session.get_one(Feedback, number), now)
    return True


def _is_of_an_older_address(session: Session, event: Event, member: Member) -> bool:
    """Whether the letter that came back went out before the member had the address they have."""
    if member.address_since is None:
        return False
    sent = select(Delivery.settled_at).where(
        Delivery.mailing_id == event.mailing, Delivery.member_id == event.member, col(Delivery.settled_at).is_not(None)
    )
    return (session.exec(sent).first() or event.at) < member.address_since


def insert_of(session: Session, table: type[SQLModel]) -> Any:
    """Return an INSERT that can be told what to do about a row that is there already."""
    return _INSERT[session.connection().dialect.name](table)


def host_key(address: str) -> bytes:
    """Return the keyed hash of an address's domain: a small domain names a person too."""
    return lookup_key("host", address.rpartition("@")[2].lower())


def _act(session: Session, feedback: Feedback, now: datetime) -> None:
    if feedback.address_key is None:
        return
    if feedback.kind is Kind.COMPLAINT:
        feedback.action = Action.SUPPRESS
        suppression.suppress(session, feedback.address_key, scope=Scope.BULK, reason="complaint", now=now)
        return
    feedback.action = decide(_strikes(session, feedback), arrived=_arrived(session, feedback))
    if feedback.action is Action.SUPPRESS and _is_held(session, feedback):
        feedback.standing = Standing.HELD
    elif feedback.action is Action.SUPPRESS:
        suppression.suppress(session, feedback.address_key, scope=Scope.ALL, reason="dead", now=now)


def _strikes(session: Session, last: Feedback) -> list[Strike]:
    """Return the bounces of an address up to `last`, in the order in which they happened."""
    rows = session.exec(
        select(Feedback.at, Feedback.mailing_id, Feedback.cause)
        .where(
            Feedback.address_key == last.address_key,
            Feedback.kind == Kind.BOUNCE,
            Feedback.standing != Standing.DISMISSED,
            Feedback.at > last.at - REMEMBERED,
            Feedback.at <= last.at,
            col(Feedback.id) != last.id,
        )
        .order_by(col(Feedback.at), col(Feedback.id))
    )
    earlier = [Strike(at, mailing, Cause(cause)) for at, mailing, cause in rows if cause is not None]
    return [*earlier, Strike(last.at, last.mailing_id, last.cause or Cause.UNCLEAR)]


def _arrived(session: Session, last: Feedback) -> datetime | None:
    """Return when a mail was last taken for this address of which nothing came back."""
    came_back = select(Feedback.mailing_id).where(
        Feedback.address_key == last.address_key, col(Feedback.cause).is_distinct_from(Cause.INFORMATION)
    )
    delivered: sa.Select[Any] = (
        sa.select(sa.func.max(col(Delivery.settled_at)))
        .join(Member, col(Member.id) == col(Delivery.member_id))
        .where(
            col(Delivery.mailing_id).in_(sa.select(col(Mailing.id))),  # the index begins with it
            col(Delivery.member_id).in_(sa.select(col(Member.id)).where(col(Member.address_key) == last.address_key)),
            col(Delivery.state) == DeliveryState.SENT,
            col(Delivery.settled_at) <= last.at - SETTLED_AFTER,
            col(Delivery.mailing_id).not_in(came_back),
        )
    )
    arrived: datetime | None = session.connection().scalar(delivered)
    return arrived


def _is_held(session: Session, feedback: Feedback) -> bool:
    """Whether verdicts on this host in this run wait for a person already."""
    return session.exec(held_like(feedback).limit(1)).first() is not None


def held_like(feedback: Feedback) -> Any:
    """Select the held events of the same run and mail host."""
    return select(Feedback.id).where(
        Feedback.mailing_id == feedback.mailing_id,
        Feedback.host_key == feedback.host_key,
        Feedback.standing == Standing.HELD,
    )


def release(session: Session, events: Sequence[Feedback], *, now: datetime) -> None:
    """Do what was held back: a person looked and it is true."""
    for feedback in events:
        feedback.standing = Standing.JUDGED
        if feedback.address_key is not None:
            suppression.suppress(session, feedback.address_key, scope=Scope.ALL, reason="dead", now=now)


def dismiss(events: Sequence[Feedback]) -> None:
    """Let held events mean nothing: it was their outage."""
    for feedback in events:
        feedback.standing = Standing.DISMISSED
