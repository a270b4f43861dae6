"""Who carries, and which of them rest. Rests stand in the database: all workers on all hosts keep them."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from mailer.errors import ProviderDown
from mailer.message.masking import mask_addresses
from mailer.outbox import breaker
from mailer.outbox.breaker import Rest
from mailer.outbox.models import Breaker
from mailer.pace import UNLIMITED, Pace
from mailer.providers import Counted, Provider
from mailer.sentences import Word


@dataclass(frozen=True, slots=True)
class Carrier:
    """A provider by its name in config.toml.

    counted  what it opens its connections with, when those are limited
    """

    name: str
    provider: Provider
    pace: Pace = UNLIMITED
    counted: Counted | None = None


def resting(connection: sa.Connection) -> dict[str, Rest]:
    """Return the providers that rest or are on trial."""
    table = Breaker.__table__  # type: ignore[attr-defined]  # SQLModel hides the table from mypy
    return {row.provider: _rest(row) for row in connection.execute(sa.select(table).order_by(table.c.provider))}


def lie_down(connection: sa.Connection, provider: str, down: ProviderDown, *, now: datetime) -> Rest:
    """Let `provider` rest because of `down`; return its rest."""
    last = _locked(connection, provider)
    rest = breaker.lie_down(last, down, now)
    values = _columns(rest)
    if last is not None:
        connection.execute(sa.update(Breaker).where(col(Breaker.provider) == provider).values(values))
        return rest
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(Breaker).values(provider=provider, **values))
    except sa.exc.IntegrityError:  # another worker was a moment faster, and told of the same
        return _locked(connection, provider) or rest
    return rest


def claim_trial(connection: sa.Connection, provider: str, *, now: datetime) -> bool:
    """Take it upon us to try a provider whose rest is over with one letter. False: another worker does."""
    last = _locked(connection, provider)
    if last is None or now < last.until:
        return False
    trial = breaker.on_trial(last, now)
    connection.execute(sa.update(Breaker).where(col(Breaker.provider) == provider).values(_columns(trial)))
    return True


def stand_up(connection: sa.Connection, provider: str) -> None:
    """End a rest: the provider took a letter."""
    connection.execute(sa.delete(Breaker).where(col(Breaker.provider) == provider))


def put_off_trial(connection: sa.Connection, provider: str, *, now: datetime) -> None:
    """Let anybody try again at once: the letter of the trial was never sent."""
    connection.execute(sa.update(Breaker).where(col(Breaker.provider) == provider).values(until=now))


def _locked(connection: sa.Connection, provider: str) -> Rest | None:
    table = Breaker.__table__  # type: ignore[attr-defined]  # as above
    row = connection.execute(sa.select(table).where(table.c.provider == provider).with_for_update()).one_or_none()
    return None if row is None else _rest(row)


def _rest(row: sa.Row[Any]) -> Rest:
    values = json.loads(row.details)
    return Rest(
        row.state,
        since=row.since,
        until=row.until,
        length=timedelta(seconds=row.rest),
        because=row.because,
        values={name: Word(value) if isinstance(value, str) else value for name, value in values.items()},
        refused=row.refused,
    )


def _columns(rest: Rest) -> dict[str, object]:
    return {
        "state": rest.state,
        "since": rest.since,
        "until": rest.until,
        "rest": int(rest.length.total_seconds()),
        "because": mask_addresses(rest.because),
        "details": json.dumps({name: _kept(value) for name, value in rest.values.items()}),
        "refused": rest.refused,
    }


def _kept(value: object) -> object:
    """Return a value as it may be stored: numbers as they are, anything else as masked words."""
    return value if isinstance(value, int) else mask_addresses(str(value))
