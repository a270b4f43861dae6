"""What all workers on all hosts have been granted, in the database: mailer.outbox.pacing decides on it.

Each function is a few statements inside the caller's transaction. A draw holds the provider's Beat row, so two
workers never see the same letters left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.models import Beat, Spent
from mailer.outbox.pacing import DAY, LAG, MINUTE, SECOND, Grant, Meter, Question, Shut, Slice, decide, midnight_before
from mailer.pace import Pace

_KEPT = {SECOND: MINUTE + LAG + SECOND, MINUTE: DAY + LAG + MINUTE}  # how long a slice of that width matters


@dataclass(frozen=True, slots=True)
class Drawn:
    """A grant, and where it was written down, so that what was not used of it can be taken back."""

    grant: Grant
    slices: tuple[tuple[timedelta, datetime], ...]


def draw(connection: sa.Connection, provider: str, pace: Pace, question: Question) -> Drawn | Shut:
    """Take leave for some letters, or learn when to ask again."""
    lock(connection, provider)
    now, zone = question.now, question.zone
    decision = decide(pace, read(connection, provider, pace, now=now, zone=zone), question)
    if isinstance(decision, Shut):
        return decision
    if pace.per_second:
        connection.execute(sa.update(Beat).where(col(Beat.provider) == provider).values(next_at=decision.after))
    slices = tuple((width, _begin(now, width, zone)) for width in _widths(pace))
    for width, at in slices:
        _add(connection, provider, width, at, decision.number)
        if width in _KEPT:
            _forget(connection, provider, width, before=now - _KEPT[width])
    return Drawn(decision, slices)


def take_back(connection: sa.Connection, provider: str, drawn: Drawn, unused: int) -> None:
    """Note that `unused` letters of a grant were not sent. Their moments in the beat have passed."""
    lock(connection, provider)
    for width, at in drawn.slices:
        _add(connection, provider, width, at, -unused)


def read(connection: sa.Connection, provider: str, pace: Pace, *, now: datetime, zone: tzinfo) -> Meter:
    """Return what the limits of `pace` are judged by."""
    today = midnight_before(now, zone)
    since = today if pace.warm_up is None else datetime.combine(pace.warm_up.since, time(), tzinfo=UTC)
    days = {each.at: each.number for each in _slices(connection, provider, DAY, since=min(since, today))}
    return Meter(
        next_beat=connection.scalar(sa.select(col(Beat.next_at)).where(col(Beat.provider) == provider)),
        seconds=_slices(connection, provider, SECOND, since=now - _KEPT[SECOND]) if pace.per_minute else (),
        minutes=_slices(connection, provider, MINUTE, since=now - _KEPT[MINUTE]) if _by_minute(pace) else (),
        today=days.get(today, 0),
        days=sum(1 for at, number in days.items() if at < today and number > 0),
    )


def _widths(pace: Pace) -> list[timedelta]:
    """Return the widths of the slices that a grant is written into: no more than its limits need, and the day."""
    return [DAY, *([MINUTE] if _by_minute(pace) else []), *([SECOND] if pace.per_minute else [])]


def _by_minute(pace: Pace) -> bool:
    return bool(pace.per_hour or pace.per_day)


def _begin(now: datetime, width: timedelta, zone: tzinfo) -> datetime:
    """Return when the slice that `now` is in began."""
    if width == DAY:
        return midnight_before(now, zone)
    return now.replace(second=now.second if width == SECOND else 0, microsecond=0)


def lock(connection: sa.Connection, provider: str) -> None:
    """Let no other worker take anything of a provider until this transaction ends."""
    held = sa.select(col(Beat.provider)).where(col(Beat.provider) == provider).with_for_update()
    if connection.scalar(held) is None:
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(Beat).values(provider=provider))
        except sa.exc.IntegrityError:  # another worker was a moment faster
            connection.scalar(held)


def _add(connection: sa.Connection, provider: str, width: timedelta, at: datetime, number: int) -> None:
    """Count into a slice; whoever calls holds the provider's lock."""
    seconds = int(width.total_seconds())
    found = connection.execute(
        sa.update(Spent)
        .where(col(Spent.provider) == provider, col(Spent.width) == seconds, col(Spent.at) == at)
        .values(number=col(Spent.number) + number)
    )
    if found.rowcount == 0 and number > 0:
        connection.execute(sa.insert(Spent).values(provider=provider, width=seconds, at=at, number=number))


def _slices(connection: sa.Connection, provider: str, width: timedelta, *, since: datetime) -> Sequence[Slice]:
    rows = connection.execute(
        sa.select(col(Spent.at), col(Spent.number))
        .where(col(Spent.provider) == provider, col(Spent.width) == int(width.total_seconds()), col(Spent.at) >= since)
        .order_by(col(Spent.at))
    )
    return [Slice(row.at, row.number) for row in rows]


def _forget(connection: sa.Connection, provider: str, width: timedelta, *, before: datetime) -> None:
    connection.execute(
        sa.delete(Spent).where(
            col(Spent.provider) == provider, col(Spent.width) == int(width.total_seconds()), col(Spent.at) < before
        )
    )
