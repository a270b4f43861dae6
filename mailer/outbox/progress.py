"""How fast the mailings under way are going, from two looks at the books.

A look counts the deliveries of what is being sent: with a million of them that takes a while, so whoever watches
looks less often the longer it takes. Between the looks nothing is kept in the database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox import tallies
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState
from mailer.outbox.pacing import Question
from mailer.outbox.status import Service, services
from mailer.pace import Pace

_UNDER_WAY = (MailingState.PLANNED, MailingState.PAUSED, MailingState.HELD)


@dataclass(frozen=True, slots=True)
class Books:
    """One mailing at one moment."""

    key: str
    state: str
    candidates: int
    queued: int
    deferred: int
    sent: int
    failed: int
    cancelled: int
    uncertain: int


@dataclass(frozen=True, slots=True)
class Look:
    """Everything under way at `at`. `carried` is what each provider took so far, since ever."""

    at: datetime
    mailings: Sequence[Books]
    services: Sequence[Service]
    carried: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Moving(Books):
    """How it moves: letters a second, and the seconds until it is through at that rate; None: unknown."""

    per_second: float | None
    remaining: int | None


def look(connection: sa.Connection, paces: Mapping[str, Pace], say: Callable[[str], str], question: Question) -> Look:
    """Read the books, as `services` does."""
    under_way = connection.execute(
        sa.select(col(Mailing.id), col(Mailing.key), col(Mailing.state), col(Mailing.plan), col(Mailing.candidates))
        .where(col(Mailing.state).in_(_UNDER_WAY), col(Mailing.plan).is_not(None))
        .order_by(col(Mailing.id))
    ).all()
    numbers = tallies.read(connection)
    return Look(
        at=question.now,
        mailings=[_books(connection, row) for row in under_way],
        services=services(connection, paces, say, question),
        carried={name: numbers.get((name, DeliveryState.SENT.value), 0.0) for name in paces},
    )


def _books(connection: sa.Connection, row: Any) -> Books:
    tried = col(Delivery.attempts) > 0
    counted = connection.execute(
        sa.select(col(Delivery.state), sa.func.count(), sa.func.sum(sa.case((tried, 1), else_=0)))
        .where(col(Delivery.mailing_id) == row.id, col(Delivery.plan) == row.plan)
        .group_by(col(Delivery.state))
    ).all()
    numbers = dict.fromkeys(DeliveryState, 0) | {each[0]: each[1] for each in counted}
    deferred = next((each[2] for each in counted if each[0] is DeliveryState.QUEUED), 0)
    by_state = {state.value: number for state, number in numbers.items()}
    return Books(row.key, row.state.value, row.candidates, deferred=int(deferred), **by_state)


def compare(before: Look | None, now: Look) -> list[Moving]:
    """Say how each mailing of `now` has moved since `before`. Pure."""
    earlier = {} if before is None else {books.key: books for books in before.mailings}
    seconds = 0.0 if before is None else (now.at - before.at).total_seconds()
    return [_moving(earlier.get(books.key), books, seconds) for books in now.mailings]


def _moving(before: Books | None, now: Books, seconds: float) -> Moving:
    if before is None or seconds <= 0:
        return Moving(**asdict(now), per_second=None, remaining=None)
    rate = max(0.0, (before.queued - now.queued) / seconds)
    return Moving(**asdict(now), per_second=rate, remaining=round(now.queued / rate) if rate else None)


def rates(before: Look | None, now: Look) -> dict[str, float | None]:
    """Say how many letters a second each provider took since `before`. Pure."""
    seconds = 0.0 if before is None else (now.at - before.at).total_seconds()
    if before is None or seconds <= 0:
        return dict.fromkeys(now.carried)
    return {name: max(0.0, total - before.carried.get(name, 0.0)) / seconds for name, total in now.carried.items()}
