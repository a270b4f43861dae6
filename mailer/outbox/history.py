"""What every member has had of a mailing, for whoever plans the next one."""

from array import array
from collections.abc import Collection

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.models import Batch, Delivery, DeliveryState
from subscribers import bulk
from subscribers.models import Member

# What was not delivered for certain may be told again.
HAD = (DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.UNCERTAIN)
_ROWS = 10_000


def variants_had(
    connection: sa.Connection, mailing: int, among: Collection[int], states: Collection[DeliveryState] = HAD
) -> "array[int]":
    """Return which variant, of those in `among`, each member has had of one mailing, by member id; 0: none.

    Read by running once through the deliveries as they lie. They lie in the order of variants, so looking them up
    member by member would read a page of the database for each.
    """
    last_member = connection.scalar(sa.select(sa.func.max(Member.id))) or 0
    variants = array("I", bytes(4 * (last_member + 1)))
    span = sa.select(sa.func.min(Batch.lo), sa.func.max(Batch.hi)).where(col(Batch.mailing_id) == mailing)
    first, last = connection.execute(span).one()
    delivered = sa.select(col(Delivery.member_id), col(Delivery.variant_id)).where(col(Delivery.state).in_(states))
    for start in range(first or 0, (last or -1) + 1, _ROWS):
        some = col(Delivery.id).between(start, min(start + _ROWS - 1, last))
        for member, variant in bulk.fetch(connection, delivered.where(some)):
            if member <= last_member and variant in among:
                variants[member] = variant
    return variants
