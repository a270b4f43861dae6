"""What a person may do to a mailing: pause, resume, cancel, hold, try again, and settle what is uncertain.

Everything here is a small change of rows; the workers look at those rows before every message.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from mailer.errors import Mistake
from mailer.outbox import batches
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Mailing, MailingState
from mailer.outbox.status import find, records
from mailer.sentences import N_, Word

LATE = N_("It was not begun in time: resume it to send it all the same, or cancel it.")
UNFINISHED = N_("It was not sent whole in time: resume it to send the rest, or cancel it.")
PAUSED = N_("A person paused it.")
ENDED = N_("A person cancelled it.")
NOT_SENT = N_("The mailing was cancelled.")
SOME = 1000  # deliveries in one transaction
_CHUNK = 10  # batches: a write transaction of some tens of milliseconds
_WAITING = (MailingState.APPROVED, MailingState.PLANNED, MailingState.PAUSED)


_HOLD_LATE = (  # asked for every batch, and so built once
    sa.update(Mailing)
    .where(
        col(Mailing.state) == MailingState.PLANNED,
        col(Mailing.started_at).is_(None),
        col(Mailing.late_at) < sa.bindparam("now"),
    )
    .values(state=MailingState.HELD, reason=LATE)
)
_HOLD_UNFINISHED = (
    sa.update(Mailing)
    .where(
        col(Mailing.state) == MailingState.PLANNED,
        col(Mailing.started_at).is_not(None),
        col(Mailing.send_by) < sa.bindparam("now"),
    )
    .values(state=MailingState.HELD, reason=UNFINISHED)
)


def pause(connection: sa.Connection, key: str) -> None:
    """Stop a mailing. What is already handed over is answered yet: `batches.held` says who has such letters.

    raises  Mistake when it is not being sent
    """
    _move(connection, key, frm=(MailingState.PLANNED,), to=MailingState.PAUSED, reason=PAUSED)


def resume(connection: sa.Connection, key: str, *, now: datetime) -> None:
    """Send on. A person decided: it is not held for being late any more, nor for what came back until now.

    raises  Mistake when it is neither paused nor held, or was never planned
    """
    mailing = find(connection, key)
    planned = connection.scalar(sa.select(col(Mailing.plan)).where(col(Mailing.id) == mailing)) is not None
    _move(
        connection,
        key,
        frm=(MailingState.PAUSED, MailingState.HELD),
        to=MailingState.PLANNED if planned else MailingState.APPROVED,
        reason="",
    )
    free = {"late_at": None, "send_by": None, "resumed_at": now}
    connection.execute(sa.update(Mailing).where(col(Mailing.id) == mailing).values(**free))


def cancel(connection: sa.Connection, key: str) -> None:
    """End a mailing. Its queued deliveries are cancelled by `cancel_some`, chunk by chunk.

    raises  Mistake when it is over already
    """
    over = (MailingState.DONE, MailingState.CANCELLED)
    states = tuple(state for state in MailingState if state not in over)
    _move(connection, key, frm=states, to=MailingState.CANCELLED, reason=ENDED)


def _move(connection: sa.Connection, key: str, *, frm: Sequence[MailingState], to: MailingState, reason: str) -> None:
    mailing = find(connection, key)
    moved = connection.execute(
        sa.update(Mailing)
        .where(col(Mailing.id) == mailing, col(Mailing.state).in_(frm))
        .values(state=to, reason=reason)
    )
    if moved.rowcount != 1:
        state = connection.scalar(sa.select(col(Mailing.state)).where(col(Mailing.id) == mailing))
        raise Mistake("The mailing {key} is {state}, so that cannot be done to it.", key=key, state=Word(state))


def cancel_some(connection: sa.Connection, *, now: datetime) -> int:
    """Cancel the queued deliveries of some open batches of cancelled mailings; return how many batches those were.

    Batches in a worker's hands are left to it: it gives them back untouched, and then their turn comes.
    """
    rows = connection.execute(
        sa.select(col(Batch.id), col(Batch.mailing_id), col(Batch.plan), col(Batch.lo), col(Batch.hi))
        .join(Mailing, col(Mailing.id) == col(Batch.mailing_id))
        .where(col(Batch.state) == BatchState.OPEN, col(Mailing.state) == MailingState.CANCELLED)
        .limit(_CHUNK)
        .with_for_update(skip_locked=True, of=Batch)
    ).all()
    for row in rows:
        connection.execute(
            sa.update(Delivery)
            .where(*batches.queued_in(row.mailing_id, row.plan, row.lo, row.hi))
            .values(state=DeliveryState.CANCELLED, code="mailing", answer=NOT_SENT, due_at=None, settled_at=now)
        )
        connection.execute(sa.update(Batch).where(col(Batch.id) == row.id).values(state=BatchState.CLOSED))
    return len(rows)


def hold(connection: sa.Connection, mailing: int, *, reason: str) -> None:
    """Stop a mailing that is being sent for a person to decide on; `reason` is a sentence."""
    connection.execute(
        sa.update(Mailing)
        .where(col(Mailing.id) == mailing, col(Mailing.state) == MailingState.PLANNED)
        .values(state=MailingState.HELD, reason=reason)
    )


def hold_all(connection: sa.Connection, *, reason: str) -> int:
    """Stop every mailing that could be sent by itself or by a resume, as this may not be the only copy of the books."""
    held = connection.execute(
        sa.update(Mailing).where(col(Mailing.state).in_(_WAITING)).values(state=MailingState.HELD, reason=reason)
    )
    return held.rowcount


def hold_late(connection: sa.Connection, *, now: datetime) -> None:
    """Hold what should have begun long ago, or been sent whole: a digest of last week is worse than none."""
    connection.execute(_HOLD_LATE, {"now": now})
    connection.execute(_HOLD_UNFINISHED, {"now": now})


def retry_failed(connection: sa.Connection, key: str, *, give_up_after: timedelta, now: datetime) -> int:
    """Queue failed deliveries of a mailing again, from the first attempt, and no others.

    Some hundred at a time, those that had failed by `now`: call with the same `now` until it returns 0.

    raises  Mistake when there is no such mailing or it was cancelled
    """
    mailing = _not_cancelled(connection, key)
    failed = _some(connection, mailing, DeliveryState.FAILED, now)
    return _queue_again(connection, mailing, failed, give_up_at=now + give_up_after, now=now)


def resend_uncertain(
    connection: sa.Connection, key: str, deliveries: Sequence[int], *, give_up_after: timedelta, now: datetime
) -> int:
    """Queue uncertain deliveries again: a person decided that a second copy is better than none. Same bytes, same id.

    deliveries  empty: all, some hundred at a time as with `retry_failed`
    raises      Mistake as `retry_failed`, and for a delivery that is not uncertain
    """
    mailing = _not_cancelled(connection, key)
    chosen = _uncertain(connection, mailing, deliveries, now)
    return _queue_again(connection, mailing, chosen, give_up_at=now + give_up_after, now=now)


def settle_uncertain(
    connection: sa.Connection, key: str, deliveries: Sequence[int], *, state: DeliveryState, now: datetime
) -> int:
    """Write down what a person found out about uncertain deliveries: SENT or FAILED. As `resend_uncertain`."""
    chosen = _uncertain(connection, find(connection, key), deliveries, now)
    connection.execute(
        sa.update(Delivery).where(col(Delivery.id).in_(chosen)).values(state=state, code="person", settled_at=now)
    )
    return len(chosen)


def _some(connection: sa.Connection, mailing: int, state: DeliveryState, by: datetime) -> list[int]:
    """Return some deliveries that came to `state` not later than `by`."""
    settled = sa.or_(col(Delivery.settled_at).is_(None), col(Delivery.settled_at) <= by)
    rows = connection.scalars(
        sa.select(col(Delivery.id))
        .join(Mailing, sa.and_(col(Mailing.id) == col(Delivery.mailing_id), col(Mailing.plan) == col(Delivery.plan)))
        .where(col(Delivery.mailing_id) == mailing, col(Delivery.state) == state, settled)
        .order_by(col(Delivery.id))
        .limit(SOME)
    )
    return [number for number in rows if number is not None]


def _uncertain(connection: sa.Connection, mailing: int, deliveries: Sequence[int], now: datetime) -> list[int]:
    if not deliveries:
        return _some(connection, mailing, DeliveryState.UNCERTAIN, now)
    found = {record.delivery for record in records(connection, mailing, states=(DeliveryState.UNCERTAIN,))}
    strangers = set(deliveries) - found
    if strangers:
        raise Mistake("Delivery {number} is not an uncertain one of this mailing.", number=min(strangers))
    return sorted(set(deliveries))


def _queue_again(
    connection: sa.Connection, mailing: int, deliveries: Sequence[int], *, give_up_at: datetime, now: datetime
) -> int:
    """Queue, due now: not earlier, lest it seem to have been in the hands of whoever holds the batch at this moment."""
    if not deliveries:
        return 0
    afresh = {"attempts": 0, "code": None, "answer": None, "provider": None, "settled_at": None}
    connection.execute(
        sa.update(Delivery)
        .where(col(Delivery.id).in_(deliveries))
        .values(state=DeliveryState.QUEUED, due_at=now, **afresh)
    )
    batches.open_those_holding(connection, deliveries, now=now)
    state = sa.case((col(Mailing.state) == MailingState.DONE, MailingState.PLANNED.value), else_=col(Mailing.state))
    connection.execute(
        sa.update(Mailing)
        .where(col(Mailing.id) == mailing)
        .values(state=state, give_up_at=give_up_at, send_by=None, done_at=None)
    )
    return len(deliveries)


def _not_cancelled(connection: sa.Connection, key: str) -> int:
    mailing = find(connection, key)
    if connection.scalar(sa.select(col(Mailing.state)).where(col(Mailing.id) == mailing)) is MailingState.CANCELLED:
        raise Mistake("The mailing {key} was cancelled: nothing of it is sent any more.", key=key)
    return mailing
