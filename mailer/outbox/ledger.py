"""Writing outcomes into the books. Only what is still open is written: nothing settled is ever changed here."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.batches import Lease
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Mailing, MailingState
from mailer.outbox.verdicts import Verdict
from mailer.sentences import N_

# Told to the driver itself, all that have a verdict in common at once: with each row SQLite's driver lets other
# threads run, and waits for its turn again. PostgreSQL is told between which ids they lie, or it reads the whole table.
_ON_SQLITE = (
    "UPDATE delivery SET state = ?, attempts = ?, provider = ?, code = ?, for_content = ?, settled_at = ?,"
    " repeated = repeated OR ?, due_at = json_extract(new.value, '$[1]'), answer = json_extract(new.value, '$[2]')"
    " FROM json_each(?) AS new WHERE delivery.id = json_extract(new.value, '$[0]') AND delivery.state = '{over}'"
)
_ON_POSTGRESQL = (
    "UPDATE delivery SET state = %s, attempts = %s, provider = %s, code = %s, for_content = %s, settled_at = %s,"
    " repeated = repeated OR %s, due_at = new.due_at, answer = new.answer"
    " FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS new (id, due_at, answer)"
    " WHERE delivery.id = new.id AND delivery.id BETWEEN %s AND %s AND delivery.state = '{over}'"
)

OUT_OF_BALANCE = N_("The books of this mailing do not balance: some of its deliveries are in no batch.")


# state, attempts, provider, code, whether for the content, whether repeated
_Shared = tuple[str, int, str | None, str | None, bool, bool]
_Own = tuple[int, datetime | None, str | None]  # delivery, when it is due, answer


class Line(NamedTuple):
    """One delivery's verdict, by whom it was carried, and after how many seconds it was answered."""

    delivery: int
    verdict: Verdict
    provider: str | None = None
    took: float | None = None


class Entry(NamedTuple):
    """What the books shall say of one delivery, and by which lease."""

    lease: Lease
    line: Line


def write(connection: sa.Connection, lines: Sequence[Line], *, over: DeliveryState, now: datetime) -> None:
    """Write verdicts over deliveries that are in the state `over`; the others stay as they are.

    over    QUEUED for the holder of a lease; UNCERTAIN for one who lost it and still heard the answer
    """
    stored = _stored_moment(connection.dialect)
    on_postgresql = connection.dialect.name == "postgresql"
    statement = (_ON_POSTGRESQL if on_postgresql else _ON_SQLITE).format(over=over)
    for (state, *shared, repeated), some in _alike(lines).items():
        settled_at = None if state == DeliveryState.QUEUED else stored(now)
        rows = [(delivery, due_at and stored(due_at), answer) for delivery, due_at, answer in some]
        own = _in_arrays(rows) if on_postgresql else [json.dumps(rows)]
        connection.exec_driver_sql(statement, (state, *shared, settled_at, repeated, *own))


def _in_arrays(rows: Sequence[_Own]) -> Sequence[Any]:
    """Return the columns, and the first and the last delivery."""
    deliveries, due, answers = map(list, zip(*rows, strict=True))
    return [deliveries, due, answers, min(deliveries), max(deliveries)]


def _alike(lines: Iterable[Line]) -> Mapping[_Shared, Sequence[_Own]]:
    """Put together what differs by delivery, moment and answer alone."""
    groups: dict[_Shared, list[_Own]] = {}
    for delivery, verdict, provider, _ in lines:
        shared = (str(verdict.state), verdict.attempts, provider, verdict.code, verdict.for_content, verdict.repeated)
        groups.setdefault(shared, []).append((delivery, verdict.due_at, verdict.answer))
    return groups


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


def _has_batches(mailing: int | sa.BindParameter[int]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        col(Batch.mailing_id) == mailing, col(Batch.plan) == col(Mailing.plan), col(Batch.state) != BatchState.CLOSED
    )


# Asked after every batch.
_WITHOUT_BATCHES = sa.select(col(Mailing.plan), col(Mailing.candidates)).where(
    col(Mailing.id) == sa.bindparam("mailing"),
    col(Mailing.state) == MailingState.PLANNED,
    ~_has_batches(sa.bindparam("mailing")),
)


def over_with(connection: sa.Connection, mailings: Iterable[int]) -> list[tuple[int, MailingState]]:
    """Return which of `mailings` have no batch left, and what becomes of them: DONE when the equation holds, else HELD.

    Reads only, and may take long with a million deliveries; `conclude` writes.
    """
    verdicts = []
    for mailing in mailings:
        row = connection.execute(_WITHOUT_BATCHES, {"mailing": mailing}).one_or_none()
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
