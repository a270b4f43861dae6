"""How the post office is, in a few numbers: read from the database, so any process tells the same.

No query grows with the number of deliveries: batches know how many letters they still hold, and what happened is
tallied. What workers have in hand at this moment is counted as waiting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox import carriers, tallies
from mailer.outbox.models import Batch, BatchState, Mailing, MailingState

UP = "up"
ALIVE = timedelta(minutes=1)  # a worker says that it is here every quarter of that


@dataclass(frozen=True, slots=True)
class Gauges:
    """oldest_due: seconds that the longest-waiting batch is overdue; tallies: by provider and what was counted."""

    waiting: int
    deferred: int
    oldest_due: float
    mailings: Mapping[str, int]
    providers: Mapping[str, str]
    workers: int
    tallies: Mapping[tuple[str, str], float]


def read(connection: sa.Connection, providers: Sequence[str], *, now: datetime) -> Gauges:
    """Read everything at once; some milliseconds."""
    held = sa.func.coalesce(col(Batch.waiting), col(Batch.hi) - col(Batch.lo) + 1)
    later = sa.and_(col(Batch.state) == BatchState.OPEN, col(Batch.due_at) > now)
    waiting, deferred = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(held), 0), sa.func.coalesce(sa.func.sum(sa.case((later, held), else_=0)), 0)
        )
        .join(Mailing, sa.and_(col(Mailing.id) == col(Batch.mailing_id), col(Mailing.plan) == col(Batch.plan)))
        .where(col(Batch.state).in_((BatchState.OPEN, BatchState.LEASED)), col(Mailing.state).in_(_GOING))
    ).one()
    resting = carriers.resting(connection)
    return Gauges(
        waiting=int(waiting),
        deferred=int(deferred),
        oldest_due=_oldest_due(connection, now),
        mailings=_mailings(connection),
        providers={name: resting[name].state.value if name in resting else UP for name in providers},
        workers=tallies.alive(connection, since=now - ALIVE),
        tallies=tallies.read(connection),
    )


_GOING = (MailingState.PLANNED, MailingState.PAUSED, MailingState.HELD)


def _oldest_due(connection: sa.Connection, now: datetime) -> float:
    due_at = connection.scalar(
        sa.select(sa.func.min(col(Batch.due_at)))
        .join(Mailing, sa.and_(col(Mailing.id) == col(Batch.mailing_id), col(Mailing.plan) == col(Batch.plan)))
        .where(col(Batch.state) == BatchState.OPEN, col(Mailing.state) == MailingState.PLANNED)
    )
    return 0.0 if due_at is None else max(0.0, (now - due_at).total_seconds())


def _mailings(connection: sa.Connection) -> dict[str, int]:
    rows = connection.execute(sa.select(col(Mailing.state), sa.func.count()).group_by(col(Mailing.state)))
    return dict.fromkeys((state.value for state in MailingState), 0) | {row[0].value: row[1] for row in rows}
