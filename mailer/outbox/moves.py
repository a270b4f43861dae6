"""What becomes of deliveries that still wait: other words, of a mailing that was stopped, or none at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from mailer import db
from mailer.outbox.enqueue import ROWS_A_TRANSACTION
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState

_MEMBERS = 500  # of one statement


def move_queued(engine: sa.Engine, mailing_id: int, variants: Mapping[int, int | None], *, now: datetime) -> int:
    """Give the deliveries that still wait another variant; cancel those that get None. Returns how many moved.

    The mailing must be stopped. Each variant's deliveries lie side by side, so a range of ids finds them.
    """
    span = sa.select(col(Delivery.variant_id), sa.func.min(col(Delivery.id)), sa.func.max(col(Delivery.id)))
    with db.reading(engine) as session:
        mine = span.where(col(Delivery.mailing_id) == mailing_id).group_by(col(Delivery.variant_id))
        ranges = [(variant, first, last) for variant, first, last in session.execute(mine) if variant in variants]
    moved = 0
    for variant, first, last in ranges:
        new = variants[variant]
        withdrawn = {"state": DeliveryState.CANCELLED, "code": "withdrawn", "settled_at": now}
        for start in range(first, last + 1, ROWS_A_TRANSACTION):
            some = col(Delivery.id).between(start, min(start + ROWS_A_TRANSACTION - 1, last))
            waiting = sa.and_(some, col(Delivery.variant_id) == variant, col(Delivery.state) == DeliveryState.QUEUED)
            change = sa.update(Delivery).where(waiting).values(**({"variant_id": new} if new else withdrawn))
            with db.writing(engine) as session:
                moved += session.connection().execute(change).rowcount
    return moved


def withdraw(connection: sa.Connection, mailing: int, members: Sequence[int], *, code: str, now: datetime) -> int:
    """Cancel what waits for these members, and is in no worker's hands. Returns how many deliveries that were."""
    cancelled = 0
    for start in range(0, len(members), _MEMBERS):
        theirs = sa.and_(
            col(Delivery.mailing_id) == mailing,
            col(Delivery.member_id).in_(members[start : start + _MEMBERS]),
            col(Delivery.state) == DeliveryState.QUEUED,
        )
        within = col(Delivery.id).between(col(Batch.lo), col(Batch.hi))
        batches = sa.select(col(Batch.id)).join(Delivery, within).where(theirs, col(Batch.mailing_id) == mailing)
        lying = sa.select(col(Batch.lo), col(Batch.hi)).where(
            col(Batch.id).in_(batches), col(Batch.state) == BatchState.OPEN
        )
        for lo, hi in connection.execute(lying.with_for_update(skip_locked=True)).all():
            change = sa.update(Delivery).where(theirs, col(Delivery.id).between(lo, hi))
            settled = {"state": DeliveryState.CANCELLED, "code": code, "due_at": None, "settled_at": now}
            cancelled += connection.execute(change.values(**settled)).rowcount
    return cancelled
