"""Giving other words to deliveries that still wait, of a mailing that was stopped."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from mailer import db
from mailer.outbox.enqueue import ROWS_A_TRANSACTION
from mailer.outbox.models import Delivery, DeliveryState


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
