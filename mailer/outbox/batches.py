"""Who holds which batch. Each function is a few statements on one row, inside the caller's transaction.

A lease is valid while the row says so: its owner's name and its fence, a number that grows with each lease. The
holder trusts its own monotonic clock and stops a margin before the end; anyone else waits a grace more, for clocks
that differ.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Lane, Mailing, MailingState


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long a worker that is not heard of keeps its batches, and what follows from that.

    Every host has the same `lease`. A holder that is alive extends it each second, so a slow server costs it nothing.
    """

    lease: timedelta = timedelta(minutes=5)

    @property
    def margin(self) -> timedelta:
        """Before its lease ends a worker starts nothing more."""
        return self.lease / 10

    @property
    def grace(self) -> timedelta:
        """What the others add before they take a lease for ended."""
        return self.lease / 5

    @property
    def between_looks(self) -> timedelta:
        """How often a worker looks for what others left."""
        return self.lease / 10


@dataclass(frozen=True, slots=True)
class Lease:
    """A batch in one worker's hands. `since` is the moment of leasing: what was due by then is in those hands."""

    batch: int
    fence: int
    mailing: int
    plan: int
    lo: int
    hi: int
    since: datetime
    lane: int = Lane.MANY

    def __hash__(self) -> int:  # asked several times for each message; these two are nearly all
        return hash((self.batch, self.fence))


# The columns of a Lease, in its order.
_LEASE: tuple[Any, ...] = (
    col(Batch.id),
    col(Batch.fence),
    col(Batch.mailing_id),
    col(Batch.plan),
    col(Batch.lo),
    col(Batch.hi),
    col(Batch.due_at),
    col(Batch.lane),
)


# Every statement that a worker asks for each batch is built once: building takes longer than asking.
BOUND = Lease(*(sa.bindparam(name) for name in Lease.__dataclass_fields__))  # type: ignore[arg-type]  # a lease to ask with: asdict(lease) are the values
_NOW = sa.bindparam("now", type_=Delivery.__table__.c.due_at.type)  # type: ignore[attr-defined]  # SQLModel's table
_DUE = (
    sa.select(col(Batch.id))
    .join(Mailing, sa.and_(col(Mailing.id) == col(Batch.mailing_id), col(Mailing.plan) == col(Batch.plan)))
    .where(
        col(Batch.state) == BatchState.OPEN,
        col(Batch.due_at) <= _NOW,
        col(Mailing.state) == MailingState.PLANNED,
    )
    .limit(1)
)
_FIRST_DUE = (
    _DUE.where(col(Batch.lane) <= sa.bindparam("up_to"))
    .order_by(col(Batch.lane), col(Batch.due_at), col(Batch.id))
    .with_for_update(skip_locked=True, of=Batch)
)
_ONE_DUE = _DUE.where(col(Batch.lane) == Lane.ONE)
_TAKE = (
    sa.update(Batch)
    .where(col(Batch.id) == _FIRST_DUE.scalar_subquery())
    .values(
        state=BatchState.LEASED,
        owner=sa.bindparam("new_owner"),
        due_at=_NOW,
        leased_until=sa.bindparam("until"),
        fence=col(Batch.fence) + 1,
    )
    .returning(*_LEASE)
)
_EXTEND = (
    sa.update(Batch)
    .where(
        col(Batch.id) == sa.bindparam("batch"),
        col(Batch.state) == BatchState.LEASED,
        col(Batch.owner) == sa.bindparam("holder"),
        col(Batch.fence) == sa.bindparam("its_fence"),
    )
    .values(leased_until=sa.bindparam("until"))
)
_GIVE_BACK = (
    sa.update(Batch)
    .where(col(Batch.id) == sa.bindparam("batch"))
    .values(
        state=sa.bindparam("new_state"),
        due_at=sa.bindparam("new_due"),
        waiting=sa.bindparam("new_waiting"),
        owner=None,
        leased_until=None,
    )
)


def take(
    connection: sa.Connection, *, owner: str, terms: Terms, now: datetime, up_to: Lane = Lane.MANY
) -> Lease | None:
    """Lease the batch that has waited longest, a letter to one before all others; None when none is due.

    Only of mailings that are being sent, and of no lane beyond `up_to`.

    On PostgreSQL rows that another worker is just leasing are skipped; SQLite has one writer at a time anyway.
    """
    asked = {"new_owner": owner, "now": now, "until": now + terms.lease, "up_to": up_to}
    row = connection.execute(_TAKE, asked).one_or_none()
    return None if row is None else Lease(*row)


def somebody_waits(connection: sa.Connection, *, now: datetime) -> bool:
    """Say whether a letter to one is due."""
    return connection.scalar(_ONE_DUE, {"now": now}) is not None


def extend(connection: sa.Connection, leases: Sequence[Lease], *, owner: str, until: datetime) -> set[Lease]:
    """Hold on to `leases`; return those that are still ours, locked until the transaction ends.

    In the order of their ids, as everybody who locks several batches: so no two wait for each other.
    """
    in_order = sorted(leases, key=attrgetter("batch"))
    return {lease for lease in in_order if _extend(connection, lease, owner, until)}


def _extend(connection: sa.Connection, lease: Lease, owner: str, until: datetime) -> bool:
    held = {"batch": lease.batch, "holder": owner, "its_fence": lease.fence}
    return connection.execute(_EXTEND, held | {"until": until}).rowcount == 1


def give_back(connection: sa.Connection, lease: Lease, *, now: datetime) -> None:
    """End a lease: closed when every delivery has its final state, else open again, due with its first delivery.

    Called by whoever has just proved to be the holder, after the outcomes were written in this transaction.
    """
    waiting, due_at = connection.execute(_WAITING, {**asdict(lease), "now": now}).one()
    state = BatchState.OPEN if waiting else BatchState.CLOSED
    values = {"batch": lease.batch, "new_state": state, "new_due": due_at if waiting else now, "new_waiting": waiting}
    connection.execute(_GIVE_BACK, values)


def queued_in(mailing: int, plan: int, lo: int, hi: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Say which deliveries of a batch wait, as conditions.

    The sum keeps SQLite from the index of (mailing, member): it would read the whole mailing for every batch.
    """
    return (
        col(Delivery.id).between(lo, hi),
        col(Delivery.mailing_id) + 0 == mailing,
        col(Delivery.plan) == plan,
        col(Delivery.state) == DeliveryState.QUEUED,
    )


_WAITING = sa.select(sa.func.count(), sa.func.min(sa.func.coalesce(col(Delivery.due_at), _NOW))).where(
    *queued_in(BOUND.mailing, BOUND.plan, BOUND.lo, BOUND.hi)
)


def _left_in_batch() -> sa.ScalarSelect[Any]:
    """Count the queued deliveries of the batch that is being updated."""
    return (
        sa.select(sa.func.count())
        .where(
            col(Delivery.id).between(col(Batch.lo), col(Batch.hi)),
            col(Delivery.mailing_id) + 0 == col(Batch.mailing_id),  # as in queued_in
            col(Delivery.plan) == col(Batch.plan),
            col(Delivery.state) == DeliveryState.QUEUED,
        )
        .correlate(Batch)
        .scalar_subquery()
    )


def in_hand(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    """Say which deliveries the holder of `lease` was given, as conditions: queued, and due when it was leased."""
    due = sa.or_(col(Delivery.due_at).is_(None), col(Delivery.due_at) <= lease.since)
    return (*queued_in(lease.mailing, lease.plan, lease.lo, lease.hi), due)


def leased_by(connection: sa.Connection, owner: str, among: Collection[int]) -> list[Lease]:
    """Return the leases that a dead worker holds.

    among   batches it may have leased. They are locked whoever holds them now, so that on PostgreSQL a commit which
            the worker had asked for before it died is waited for
    """
    rows = connection.execute(
        sa.select(*_LEASE, col(Batch.owner).label("holder"))
        .where(sa.or_(col(Batch.owner) == owner, col(Batch.id).in_(among)))
        .order_by(col(Batch.id))
        .with_for_update()
    ).all()
    return [Lease(*row[:-1]) for row in rows if row.holder == owner]


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker that may still send of a mailing. `until`: when it is given up, should it not be heard of again."""

    worker: str
    batches: int
    until: datetime


def held(connection: sa.Connection, mailing: int, *, terms: Terms, now: datetime) -> list[Holder]:
    """Return who may still send of a mailing. Of a stopped one nobody leases, so an empty list stays empty.

    A live worker gives its batches back as soon as what it handed over is answered; a dead one counts until its lease
    and the grace are over.
    """
    rows = connection.execute(
        sa.select(col(Batch.owner), sa.func.count(), sa.func.max(col(Batch.leased_until)))
        .where(
            col(Batch.mailing_id) == mailing,
            col(Batch.state) == BatchState.LEASED,
            col(Batch.leased_until) >= now - terms.grace,
        )
        .group_by(col(Batch.owner))
        .order_by(col(Batch.owner))
    )
    return [Holder(owner, number, last + terms.grace) for owner, number, last in rows if owner and last]


def is_leased(connection: sa.Connection, mailing: int) -> bool:
    """Say whether anything of a mailing is with a worker, dead or alive, who has not said what became of it."""
    leased = sa.exists().where(col(Batch.mailing_id) == mailing, col(Batch.state) == BatchState.LEASED)
    return bool(connection.scalar(sa.select(leased)))


def overdue(connection: sa.Connection, *, terms: Terms, now: datetime) -> list[Lease]:
    """Return the leases whose holder has not been heard of for longer than a lease and its grace."""
    rows = connection.execute(
        sa.select(*_LEASE)
        .where(col(Batch.state) == BatchState.LEASED, col(Batch.leased_until) < now - terms.grace)
        .order_by(col(Batch.id))
        .with_for_update(skip_locked=True)
    ).all()
    return [Lease(*row) for row in rows]


def open_those_holding(connection: sa.Connection, deliveries: Sequence[int], *, now: datetime) -> None:
    """Open the closed batches of deliveries that were just queued again, due now; open ones become due."""
    for start in range(0, len(deliveries), 500):
        some = col(Delivery.id).in_(deliveries[start : start + 500])
        held = sa.exists().where(
            some,
            col(Delivery.id).between(col(Batch.lo), col(Batch.hi)),
            col(Delivery.plan) == col(Batch.plan),
        )
        mailings = sa.select(col(Delivery.mailing_id)).where(some).distinct()
        found = connection.scalars(
            sa.select(col(Batch.id))
            .where(col(Batch.mailing_id).in_(mailings), held, col(Batch.state) != BatchState.LEASED)
            .order_by(col(Batch.id))
            .with_for_update()
        ).all()
        connection.execute(
            sa.update(Batch)
            .where(col(Batch.id).in_(found))
            .values(state=BatchState.OPEN, due_at=now, waiting=_left_in_batch())
        )
