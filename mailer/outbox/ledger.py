"""Writing outcomes into the books. Only what is still open is written: nothing settled is ever changed here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Mailing, MailingState
from mailer.outbox.verdicts import Verdict
from mailer.sentences import N_

# Told to the driver itself: through SQLAlchemy's bound parameters a row takes five times as long.
_ONE_BY_ONE = (
    "UPDATE delivery SET state = ?, due_at = ?, attempts = ?, provider = ?, code = ?, answer = ?, settled_at = ?,"
    " for_content = ?, repeated = repeated OR ? WHERE id = ? AND state = '{over}'"
)
_TOGETHER = (
    "UPDATE delivery SET state = new.state, due_at = new.due_at, attempts = new.attempts, provider = new.provider,"
    " code = new.code, answer = new.answer, settled_at = new.settled_at,"
    " for_content = new.for_content,"
    " repeated = delivery.repeated OR new.repeated"
    " FROM unnest(%s::text[], %s::timestamptz[], %s::smallint[], %s::text[], %s::text[], %s::text[],"
    " %s::timestamptz[], %s::boolean[], %s::boolean[], %s::bigint[])"
    " AS new (state, due_at, attempts, provider, code, answer, settled_at, for_content, repeated, id)"
    " WHERE delivery.id = new.id AND delivery.state = '{over}'"
)

OUT_OF_BALANCE = N_("The books of this mailing do not balance: some of its deliveries are in no batch.")


class Line(NamedTuple):
    """One delivery's verdict, by whom it was carried, and after how many seconds it was answered."""

    delivery: int
    verdict: Verdict
    provider: str | None = None
    took: float | None = None


def write(connection: sa.Connection, lines: Sequence[Line], *, over: DeliveryState, now: datetime) -> None:
    """Write verdicts over deliveries that are in the state `over`; the others stay as they are.

    over    QUEUED for the holder of a lease; UNCERTAIN for one who lost it and still heard the answer
    """
    if not lines:
        return
    stored = _stored_moment(connection.dialect)
    settled_at = stored(now)
    rows = [
        (
            str(verdict.state),
            verdict.due_at and stored(verdict.due_at),
            verdict.attempts,
            provider,
            verdict.code,
            verdict.answer,
            None if verdict.state is DeliveryState.QUEUED else settled_at,
            verdict.for_content,
            verdict.repeated,
            delivery,
        )
        for delivery, verdict, provider, _ in lines
    ]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_TOGETHER.format(over=over), tuple(map(list, zip(*rows, strict=True))))
    else:
        connection.exec_driver_sql(_ONE_BY_ONE.format(over=over), rows)


@cache
def _stored_moment(dialect: sa.Dialect) -> Callable[[datetime], Any]:
    """Return what makes of a moment the value that the driver takes."""
    processor = Delivery.__table__.c.settled_at.type.dialect_impl(dialect).bind_processor(dialect)  # type: ignore[attr-defined]  # SQLModel's table
    return processor or (lambda moment: moment)


def counts(connection: sa.Connection, mailing: int, plan: int | None) -> dict[DeliveryState, int]:
    """Count the deliveries of a mailing's valid plan by state; every state has a number."""
    rows = connection.execute(
        sa.select(col(Delivery.state), sa.func.count())
        .where(col(Delivery.mailing_id) == mailing, col(Delivery.plan) == plan)
        .group_by(col(Delivery.state))
    )
    return dict.fromkeys(DeliveryState, 0) | {row[0]: row[1] for row in rows}


def sent_since(connection: sa.Connection, mailing: int, plan: int | None, since: datetime) -> int:
    """Count the deliveries of a mailing's valid plan that were sent after `since`."""
    sent = (col(Delivery.state) == DeliveryState.SENT) & (col(Delivery.settled_at) > since)
    of_it = (col(Delivery.mailing_id) == mailing) & (col(Delivery.plan) == plan)
    return connection.execute(sa.select(sa.func.count()).where(of_it, sent)).scalar_one()


def balanced(candidates: int, by_state: Mapping[DeliveryState, int]) -> bool:
    """candidates = sent + failed + cancelled + uncertain, and nothing is queued."""
    return by_state[DeliveryState.QUEUED] == 0 and candidates == sum(by_state.values())


def over_with(connection: sa.Connection, mailings: Iterable[int]) -> list[tuple[int, MailingState]]:
    """Return which of `mailings` have no batch left, and what becomes of them: DONE when the equation holds, else HELD.

    Reads only, and may take long with a million deliveries; `conclude` writes.
    """
    verdicts = []
    for mailing in mailings:
        row = connection.execute(
            sa.select(col(Mailing.plan), col(Mailing.candidates)).where(
                col(Mailing.id) == mailing, col(Mailing.state) == MailingState.PLANNED, ~_has_batches(mailing)
            )
        ).one_or_none()
        if row is not None:
            holds = balanced(row.candidates, counts(connection, mailing, row.plan))
            verdicts.append((mailing, MailingState.DONE if holds else MailingState.HELD))
    return verdicts


def under_way(connection: sa.Connection) -> set[int]:
    """Return the mailings that are being sent."""
    return set(connection.scalars(sa.select(col(Mailing.id)).where(col(Mailing.state) == MailingState.PLANNED)))


def conclude(connection: sa.Connection, mailing: int, state: MailingState, *, now: datetime) -> None:
    """Close the books of a mailing, unless a batch was opened since `over_with` looked."""
    done = state is MailingState.DONE
    # Who opens a batch again changes the mailing too: waited for first, so that the question below sees that batch.
    connection.execute(sa.select(col(Mailing.id)).where(col(Mailing.id) == mailing).with_for_update())
    connection.execute(
        sa.update(Mailing)
        .where(col(Mailing.id) == mailing, col(Mailing.state) == MailingState.PLANNED, ~_has_batches(mailing))
        .values(state=state, done_at=now if done else None, reason="" if done else OUT_OF_BALANCE)
    )


def _has_batches(mailing: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        col(Batch.mailing_id) == mailing, col(Batch.plan) == col(Mailing.plan), col(Batch.state) != BatchState.CLOSED
    )
