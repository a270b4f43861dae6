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

LATE = "It was not begun in time: resume it to send it all the same, or cancel it."
PAUSED = "A person paused it."
ENDED = "A person cancelled it."
NOT_SENT = "The mailing was cancelled."
_CHUNK = 10  # batches: a write transaction of some tens of milliseconds


def pause(connection: sa.Connection, key: str) -> None:
    """Stop a mailing. No message is started once this is committed; those already handed over are answered yet.

    raises  Mistake when it is not being sent
    """
    _move(connection, key, frm=(MailingState.PLANNED,), to=MailingState.PAUSED, reason=PAUSED)


def resume(connection: sa.Connection, key: str) -> None:
    """Send on. A person decided: it is not held for being late any more.

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
    connection.execute(sa.update(Mailing).where(col(Mailing.id) == mailing).values(late_at=None))


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
        raise Mistake(
            "The mailing {key} is {state}, so that cannot be done to it.", key=key, state=state and state.value
        )


def cancel_some(connection: sa.Connection, *, now: datetime) -> int:
    """Cancel the queued deliveries of some open batches of cancelled mailings; return how many batches those were.

    Batches in a worker's hands are left to it: it gives them back untouched, and then their turn comes.
    """
    rows = connection.execute(
        sa.select(col(Batch.id), col(Batch.mailing_id), col(Batch.lo), col(Batch.hi))
        .join(Mailing, col(Mailing.id) == col(Batch.mailing_id))
        .where(col(Batch.state) == BatchState.OPEN, col(Mailing.state) == MailingState.CANCELLED)
        .limit(_CHUNK)
        .with_for_update(skip_locked=True, of=Batch)
    ).all()
    for row in rows:
        connection.execute(
            sa.update(Delivery)
            .where(
                col(Delivery.id).between(row.lo, row.hi),
                col(Delivery.mailing_id) == row.mailing_id,
                col(Delivery.state) == DeliveryState.QUEUED,
            )
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


def hold_late(connection: sa.Connection, *, now: datetime) -> None:
    """Hold what should have begun long ago: a digest of last week is worse than none."""
    connection.execute(
        sa.update(Mailing)
        .where(
            col(Mailing.state) == MailingState.PLANNED,
            col(Mailing.started_at).is_(None),
            col(Mailing.late_at) < now,
        )
        .values(state=MailingState.HELD, reason=LATE)
    )


def retry_failed(connection: sa.Connection, key: str, *, give_up_after: timedelta, now: datetime) -> int:
    """Queue the failed deliveries of a mailing again, from the first attempt, and no others; return how many.

    raises  Mistake when there is no such mailing or it was cancelled
    """
    mailing = find(connection, key)
    failed = [record.delivery for record in records(connection, mailing, states=(DeliveryState.FAILED,))]
    _queue_again(connection, failed, frm=DeliveryState.FAILED, now=now)
    _reopen(connection, key, mailing, give_up_at=now + give_up_after)
    return len(failed)


def resend_uncertain(
    connection: sa.Connection, key: str, deliveries: Sequence[int], *, give_up_after: timedelta, now: datetime
) -> int:
    """Queue uncertain deliveries again: a person decided that a second copy is better than none. Same bytes, same id.

    deliveries  empty: all that are uncertain
    raises      Mistake as `retry_failed`
    """
    mailing = find(connection, key)
    chosen = _uncertain(connection, mailing, deliveries)
    _queue_again(connection, chosen, frm=DeliveryState.UNCERTAIN, now=now)
    _reopen(connection, key, mailing, give_up_at=now + give_up_after)
    return len(chosen)


def settle_uncertain(
    connection: sa.Connection, key: str, deliveries: Sequence[int], *, state: DeliveryState, now: datetime
) -> int:
    """Write down what a person found out about uncertain deliveries: SENT or FAILED; return how many.

    deliveries  empty: all that are uncertain
    """
    chosen = _uncertain(connection, find(connection, key), deliveries)
    for start in range(0, len(chosen), 500):
        connection.execute(
            sa.update(Delivery)
            .where(col(Delivery.id).in_(chosen[start : start + 500]), col(Delivery.state) == DeliveryState.UNCERTAIN)
            .values(state=state, code="person", settled_at=now)
        )
    return len(chosen)


def _uncertain(connection: sa.Connection, mailing: int, deliveries: Sequence[int]) -> list[int]:
    found = [record.delivery for record in records(connection, mailing, states=(DeliveryState.UNCERTAIN,))]
    strangers = set(deliveries) - set(found)
    if strangers:
        raise Mistake("Delivery {number} is not an uncertain one of this mailing.", number=min(strangers))
    return [number for number in found if not deliveries or number in deliveries]


def _queue_again(connection: sa.Connection, deliveries: Sequence[int], *, frm: DeliveryState, now: datetime) -> None:
    """Queue, due now: not earlier, lest it seem to have been in the hands of whoever holds the batch at this moment."""
    for start in range(0, len(deliveries), 500):
        connection.execute(
            sa.update(Delivery)
            .where(col(Delivery.id).in_(deliveries[start : start + 500]), col(Delivery.state) == frm)
            .values(
                state=DeliveryState.QUEUED,
                due_at=now,
                attempts=0,
                code=None,
                answer=None,
                provider=None,
                settled_at=None,
            )
        )
    batches.open_those_holding(connection, deliveries, now=now)


def _reopen(connection: sa.Connection, key: str, mailing: int, *, give_up_at: datetime) -> None:
    row = connection.execute(sa.select(col(Mailing.state)).where(col(Mailing.id) == mailing)).one()
    if row.state is MailingState.CANCELLED:
        raise Mistake("The mailing {key} was cancelled: nothing of it is sent any more.", key=key)
    values: dict[str, object] = {"give_up_at": give_up_at, "done_at": None}
    if row.state is MailingState.DONE:
        values["state"] = MailingState.PLANNED
    connection.execute(sa.update(Mailing).where(col(Mailing.id) == mailing).values(**values))
