"""The connections that each worker may have open, in the database: mailer.outbox.sharing decides on them.

Each function is a few statements inside the caller's transaction. Whoever takes holds the provider's Beat row, so two
workers never take the same connection.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from mailer.outbox import buckets
from mailer.outbox.batches import Terms
from mailer.outbox.models import Share
from mailer.outbox.sharing import Claim, Held, may_have


def read(connection: sa.Connection, *, terms: Terms, now: datetime) -> Mapping[str, Held]:
    """Return what the workers hold of each provider. One that is not heard of holds nothing when its lease is over."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(
        sa.select(col(Share.provider), col(Share.worker), col(Share.number)).where(
            col(Share.until) >= now - terms.grace
        )
    ):
        found[row.provider][row.worker] = row.number
    return found


def take(connection: sa.Connection, provider: str, claim: Claim, *, terms: Terms, now: datetime) -> int:
    """Take a worker's part of a provider's connections; return how many it may have open, for a lease from now on."""
    buckets.lock(connection, provider)
    gone = col(Share.until) < now - terms.grace
    connection.execute(sa.delete(Share).where(col(Share.provider) == provider, gone))
    number = may_have(claim, read(connection, terms=terms, now=now).get(provider, {}))
    values = {"number": number, "until": now + terms.lease}
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert(Share).values(provider=provider, worker=claim.worker, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["provider", "worker"], set_=values))
    return number


def renew(connection: sa.Connection, worker: str, *, terms: Terms, now: datetime) -> None:
    """Keep what a worker has for a lease from now on."""
    connection.execute(sa.update(Share).where(col(Share.worker) == worker).values(until=now + terms.lease))


def leave(connection: sa.Connection, worker: str) -> None:
    """Leave a worker's connections to the others: all of them are closed."""
    connection.execute(sa.delete(Share).where(col(Share.worker) == worker))
