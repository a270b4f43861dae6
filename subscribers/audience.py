"""Who may be written to, asked at send time."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from subscribers.models import Member, State, Subscription, Suppression

_AT_ONCE = 5_000  # far below the 32,766 values that a statement may carry


def allowed(connection: sa.Connection, *, publication: str, member_ids: Collection[int], now: datetime) -> set[int]:
    """Return those of `member_ids` who may be written to about `publication` at this moment."""
    numbers = list(member_ids)
    suppressed = sa.exists().where(col(Suppression.address_key) == col(Member.address_key))
    query = (
        sa.select(col(Subscription.member_id))
        .join(Member, col(Member.id) == col(Subscription.member_id))
        .where(
            col(Subscription.publication) == publication,
            col(Subscription.ended_at).is_(None),
            sa.or_(col(Subscription.paused_until).is_(None), col(Subscription.paused_until) <= now.date()),
            col(Member.state) == State.ACTIVE,
            col(Member.address_key).is_not(None),
            ~suppressed,
        )
    )
    found: set[int] = set()
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        found.update(connection.scalars(query.where(col(Subscription.member_id).in_(some))))
    return found
