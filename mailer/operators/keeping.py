"""How long it is kept who asked for approval and who signed: as long as the records of what was sent."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.operators.models import ApprovalRequest, ApprovalSignature


def too_old(before: datetime) -> sa.Select[int | None]:
    """Return a query for the requests from before `before`.

    The latest of all stays: SQLite would give its number again, and links to approve carry it.
    """
    latest = sa.select(sa.func.max(col(ApprovalRequest.id))).scalar_subquery()
    old = sa.and_(col(ApprovalRequest.asked_at) < before, col(ApprovalRequest.id) < latest)
    return sa.select(col(ApprovalRequest.id)).where(old).order_by(col(ApprovalRequest.id))


def forget(session: Session, *, before: datetime, most: int) -> int:
    """Forget requests and who signed them, `most` at once. Returns how many requests it were."""
    ids = session.scalars(too_old(before).limit(most)).all()
    session.execute(sa.delete(ApprovalSignature).where(col(ApprovalSignature.request_id).in_(ids)))
    session.execute(sa.delete(ApprovalRequest).where(col(ApprovalRequest.id).in_(ids)))
    return len(ids)
