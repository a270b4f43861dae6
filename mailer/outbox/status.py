"""How far each mailing is, and what was done for each recipient. Reads only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from mailer.errors import Mistake
from mailer.outbox import buckets, carriers, ledger
from mailer.outbox.breaker import Rest
from mailer.outbox.models import Delivery, DeliveryState, Mailing, Stream
from mailer.outbox.pacing import GRANT, Question, Shut, decide
from mailer.pace import Pace
from mailer.sentences import N_, filled


@dataclass(frozen=True, slots=True)
class Status:
    """One mailing in numbers. `balanced`: candidates = sent + failed + cancelled + uncertain."""

    key: str
    publication: str
    state: str
    reason: str
    candidates: int
    queued: int
    sent: int
    failed: int
    cancelled: int
    uncertain: int
    balanced: bool
    send_at: datetime | None
    started_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Service:
    """How a provider is. `reason`: why it rests or waits; `until`: when it is tried again, or may be given more."""

    provider: str
    state: str
    since: datetime | None
    until: datetime | None
    reason: str


UP = N_("up")
WAITING = N_("waiting")  # it could take more, and its pace says when


@dataclass(frozen=True, slots=True)
class Record:
    """What we did for one recipient."""

    delivery: int
    member: int
    state: str
    attempts: int
    due_at: datetime | None
    settled_at: datetime | None
    provider: str | None
    code: str | None
    answer: str | None


# The columns of a Record, in its order.
_RECORD: tuple[Any, ...] = (
    col(Delivery.id),
    col(Delivery.member_id),
    col(Delivery.state),
    col(Delivery.attempts),
    col(Delivery.due_at),
    col(Delivery.settled_at),
    col(Delivery.provider),
    col(Delivery.code),
    col(Delivery.answer),
)


def find(connection: sa.Connection, key: str) -> int:
    """Return the id of a mailing. raises Mistake when there is none of that key."""
    found = connection.scalar(sa.select(col(Mailing.id)).where(col(Mailing.key) == key))
    if found is None:
        raise Mistake("There is no mailing {key}: `utskick outbox status` lists them.", key=key)
    return found


def status(connection: sa.Connection, key: str | None = None) -> list[Status]:
    """Return the mailings to many, newest first, or the one of `key`. raises Mistake as `find`."""
    table = Mailing.__table__  # type: ignore[attr-defined]  # SQLModel hides the table from mypy
    query = sa.select(table).order_by(table.c.id.desc())
    query = query.where(table.c.stream != Stream.ASKED if key is None else table.c.id == find(connection, key))
    return [_status(connection, row) for row in connection.execute(query).all()]


def _status(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Status:
    numbers = ledger.counts(connection, row.id, row.plan)
    return Status(
        key=row.key,
        publication=row.publication,
        state=row.state.value,
        reason=row.reason,
        candidates=row.candidates,
        **{state.value: numbers[state] for state in DeliveryState},
        balanced=ledger.balanced(row.candidates, numbers),
        send_at=row.send_at,
        started_at=row.started_at,
        done_at=row.done_at,
    )


def services(
    connection: sa.Connection, paces: Mapping[str, Pace], say: Callable[[str], str], question: Question
) -> list[Service]:
    """Return how each provider is, in the order of `paces`; `say` translates the reasons.

    question    what a worker would ask now for a letter of a mailing
    """
    resting = carriers.resting(connection)
    return [
        _resting(name, resting[name], say) if name in resting else _at_work(connection, name, pace, say, question)
        for name, pace in paces.items()
    ]


def _resting(name: str, rest: Rest, say: Callable[[str], str]) -> Service:
    return Service(name, rest.state.value, rest.since, rest.until, filled(rest.because, rest.values, say))


def _at_work(
    connection: sa.Connection, name: str, pace: Pace, say: Callable[[str], str], question: Question
) -> Service:
    now, zone = question.now, question.zone
    shut = decide(pace, buckets.read(connection, name, pace, now=now, zone=zone), question) if pace.limited else None
    if isinstance(shut, Shut) and shut.until - now > GRANT:  # a beat is no wait
        return Service(name, WAITING, None, shut.until, say(shut.why))
    return Service(name, UP, None, None, "")


def records(
    connection: sa.Connection, mailing: int, *, states: Sequence[DeliveryState] = tuple(DeliveryState)
) -> Iterator[Record]:
    """Yield what was done for each recipient of a mailing, in the order of sending."""
    rows = connection.execute(
        sa.select(*_RECORD)
        .join(Mailing, sa.and_(col(Mailing.id) == col(Delivery.mailing_id), col(Mailing.plan) == col(Delivery.plan)))
        .where(col(Delivery.mailing_id) == mailing, col(Delivery.state).in_(states))
        .order_by(col(Delivery.id))
    )
    return (Record(*row) for row in rows)


def as_row(status_or_record: Status | Service | Record) -> dict[str, object]:
    """Return the fields as --json prints them."""
    return asdict(status_or_record)
