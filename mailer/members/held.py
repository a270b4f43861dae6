"""Everything that is held about a member, by the register and by the post office: handed out, and forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.events import answers
from mailer.feedback.models import Feedback
from mailer.members import recruiting, welcomes
from mailer.outbox import single
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from subscribers import access, enrolment

_OF_FEEDBACK = {"at", "kind", "source", "cause", "status", "reply", "words", "action", "standing"}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A provider that carried letters to a member, and may still know the address: ours to ask, not to erase."""

    provider: str
    letters: int
    last_at: datetime | None


def export(session: Session, member_id: int, *, who: str, now: datetime) -> dict[str, object]:
    """Return everything, GDPR Art. 15 and 20, ready for JSON, and note in the diary who was given it.

    raises  Refused when there is no such member
    """
    access.record(session, who=who, what=access.Act.EXPORT, member_id=member_id, now=now)
    session.flush()
    return look(session, member_id)


def look(session: Session, member_id: int) -> dict[str, object]:
    """As `export`, for the member's own eyes: nothing is noted."""
    return enrolment.export(session, member_id) | {
        "deliveries": _deliveries(session, member_id),
        "feedback": _feedback(session, member_id),
        "answers": answers.held(session, member_id),
        "shifts": answers.held_shifts(session, member_id),
        "swaps": answers.held_swaps(session, member_id),
        "invited": recruiting.held(session, member_id),
        "welcomes": welcomes.held(session, member_id),
    }


def erase(session: Session, member_id: int, *, who: str, now: datetime) -> list[Elsewhere]:
    """Forget a member, GDPR Art. 17, and what is waiting for them. Returns who else may still hold the address.

    raises  Refused when there is no such member
    """
    elsewhere = _elsewhere(session, member_id)
    single.withdraw(session, member_id, now=now)
    answers.forget(session, member_id)
    recruiting.forget(session, member_id)
    welcomes.forget(session, member_id)
    enrolment.erase(session, member_id, now)
    session.execute(sa.update(Delivery).where(*_theirs(member_id)).values(answer=None))
    nothing = {"address_key": None, "host_key": None, "words": ""}
    session.execute(sa.update(Feedback).where(col(Feedback.member_id) == member_id).values(nothing))
    access.record(session, who=who, what=access.Act.ERASE, member_id=member_id, now=now)
    session.flush()
    return elsewhere


def _deliveries(session: Session, member_id: int) -> list[dict[str, object]]:
    columns: Sequence[Any] = (
        col(Mailing.key).label("mailing"),
        col(Mailing.publication),
        *(col(Delivery.state), col(Delivery.settled_at), col(Delivery.provider)),
        *(col(Delivery.code), col(Delivery.answer), col(Delivery.attempts)),
    )
    query = sa.select(*columns).join(Mailing, col(Mailing.id) == col(Delivery.mailing_id)).where(*_theirs(member_id))
    return [dict(row) for row in session.execute(query.order_by(col(Delivery.id))).mappings()]


def _feedback(session: Session, member_id: int) -> list[dict[str, object]]:
    """What came back from their letters: bounces and complaints."""
    rows = session.scalars(sa.select(Feedback).where(col(Feedback.member_id) == member_id).order_by(col(Feedback.id)))
    return [row.model_dump(include=_OF_FEEDBACK) for row in rows]


def _elsewhere(session: Session, member_id: int) -> list[Elsewhere]:
    told = (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED)
    query = (
        sa.select(col(Delivery.provider), sa.func.count(), sa.func.max(Delivery.settled_at))
        .where(*_theirs(member_id), col(Delivery.state).in_(told), col(Delivery.provider).is_not(None))
        .group_by(col(Delivery.provider))
        .order_by(col(Delivery.provider))
    )
    return [Elsewhere(*row) for row in session.execute(query)]


def _theirs(member_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """A member's deliveries, one step per mailing: there is no index by member alone."""
    return col(Delivery.mailing_id).in_(sa.select(col(Mailing.id))), col(Delivery.member_id) == member_id
