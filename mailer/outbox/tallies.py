"""What happened, counted for whoever watches. A worker counts in memory and adds to the database about once a second.

Killed, it takes the last second's numbers with it: they are for looking at, the deliveries are the books.
"""

import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from mailer.outbox.ledger import Line
from mailer.outbox.models import Presence, Tally
from mailer.outbox.states import DeliveryState

EVERY = 1.0  # seconds
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, math.inf)  # seconds until an answer
TOOK, SUM = "took {:g}", "took in all"
DEFERRED = "deferred"


class Tallies:
    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, float] = {}
        self._added = float("-inf")

    def count(self, lines: Sequence[Line]) -> None:
        """Count what became of deliveries, by who carried them."""
        for provider, some in groupby(lines, key=attrgetter("provider")):
            self._count(provider or "", list(some))

    def _count(self, provider: str, lines: Sequence[Line]) -> None:
        for state, number in Counter([str(line.verdict.state) for line in lines]).items():
            self._counted[provider, DEFERRED if state == DeliveryState.QUEUED else state] += number
        answered = [line.took for line in lines if line.took is not None]
        for bound, number in Counter([bisect_left(BOUNDS, took) for took in answered]).items():
            self._counted[provider, TOOK.format(BOUNDS[bound])] += number
        if answered:
            self._seconds[provider] = self._seconds.get(provider, 0.0) + sum(answered)

    def add(self, connection: sa.Connection, *, at_once: bool) -> None:
        """Add what was counted to the database: each second, or `at_once`."""
        if not self._counted or not (at_once or time.monotonic() - self._added >= EVERY):
            return
        numbers: dict[tuple[str, str], float] = {**self._counted}
        numbers |= {(provider, SUM): seconds for provider, seconds in self._seconds.items()}
        connection.execute(
            _adding(connection.dialect),
            # Always in one order, so that two workers never wait for each other.
            [{"provider": who, "what": what, "number": number} for (who, what), number in sorted(numbers.items())],
        )
        self._counted, self._seconds, self._added = Counter(), {}, time.monotonic()


@cache
def _adding(dialect: sa.Dialect) -> sa.Executable:
    """Build the statement that adds numbers once: it is asked for each group of outcomes."""
    rows = (sqlite.insert if dialect.name == "sqlite" else postgresql.insert)(Tally)
    return rows.on_conflict_do_update(
        index_elements=["provider", "what"], set_={"number": col(Tally.number) + rows.excluded.number}
    )


def read(connection: sa.Connection) -> Mapping[tuple[str, str], float]:
    """Return the numbers so far, by provider and what was counted."""
    rows = connection.execute(sa.select(col(Tally.provider), col(Tally.what), col(Tally.number)))
    return {(row.provider, row.what): row.number for row in rows}


def here(connection: sa.Connection, worker: str, *, now: datetime) -> None:
    """Say that a worker is alive."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(Presence).values(worker=worker, seen_at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": now}))


def gone(connection: sa.Connection, worker: str, *, before: datetime) -> None:
    """Say that a worker has ended; those not heard of since `before` have too."""
    connection.execute(
        sa.delete(Presence).where(sa.or_(col(Presence.worker) == worker, col(Presence.seen_at) < before))
    )


def alive(connection: sa.Connection, *, since: datetime) -> int:
    """Count the workers heard of since then."""
    return connection.scalar(sa.select(sa.func.count()).where(col(Presence.seen_at) >= since)) or 0
