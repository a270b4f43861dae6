"""What becomes of the batches of a worker that died, or was not heard of for too long.

Its heir, on the same machine, reads its journal and knows: answered, started but unanswered, never started. Anyone
else knows nothing, and says so: uncertain.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox import batches, ledger
from mailer.outbox.batches import Lease, Terms
from mailer.outbox.journal import Mark, Note, Remains
from mailer.outbox.ledger import Line
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from mailer.outbox.verdicts import Verdict, once_more
from mailer.sentences import N_

ENDED = "The worker stopped before the server had answered."
LOST = N_("The worker was not heard of again, and left no account of this delivery.")
_ANSWERED = {Mark.SENT: DeliveryState.SENT, Mark.FAILED: DeliveryState.FAILED}


def from_journal(remains: Remains, lease: Lease, deliveries: Iterable[tuple[int, int]]) -> list[Line]:
    """Decide on the unsettled (delivery, attempts) of a dead worker's lease; those not named stay queued. Pure."""
    if not remains.knows(lease.batch, lease.fence):
        return unknown(deliveries)
    lines = []
    for delivery, attempts in deliveries:
        note = remains.note(lease.batch, lease.fence, delivery)
        if note is None or note.mark is Mark.LATER:
            continue
        lines.append(Line(delivery, _verdict(note, attempts)))
    return lines


def unknown(deliveries: Iterable[tuple[int, int]]) -> list[Line]:
    """Decide without a journal that can be believed: each of them may have been sent. Pure."""
    return [
        Line(delivery, Verdict(DeliveryState.UNCERTAIN, answer=LOST, attempts=attempts + 1))
        for delivery, attempts in deliveries
    ]


def _verdict(note: Note, attempts: int) -> Verdict:
    state = _ANSWERED.get(note.mark, DeliveryState.UNCERTAIN)
    answer = ENDED if state is DeliveryState.UNCERTAIN else None
    return Verdict(state, code=note.code or None, answer=answer, attempts=attempts + 1)


def inherit(connection: sa.Connection, remains: Remains, *, now: datetime) -> list[Lease]:
    """Settle what a dead worker left; return its leases, now given back."""
    leases = batches.leased_by(connection, remains.owner, among={batch for batch, _ in remains.leases})
    for lease in leases:
        ledger.write(
            connection,
            _once_more(connection, lease, from_journal(remains, lease, _in_hand(connection, lease)), now),
            over=DeliveryState.QUEUED,
            now=now,
        )
        batches.give_back(connection, lease, now=now)
    ledger.write(connection, _known_better(connection, remains), over=DeliveryState.UNCERTAIN, now=now)
    return leases


def _known_better(connection: sa.Connection, remains: Remains) -> list[Line]:
    """Find answers to what others had to call uncertain while this journal could not be read."""
    answered = {
        note.delivery: note for notes in remains.last.values() for note in notes.values() if note.mark in _ANSWERED
    }
    if not answered:
        return []
    uncertain = connection.execute(
        sa.select(col(Delivery.id), col(Delivery.attempts)).where(
            col(Delivery.id).between(min(answered), max(answered)), col(Delivery.state) == DeliveryState.UNCERTAIN
        )
    )
    return [Line(row.id, _verdict(answered[row.id], row.attempts - 1)) for row in uncertain if row.id in answered]


def give_up(connection: sa.Connection, *, terms: Terms, now: datetime) -> list[Lease]:
    """Take the batches of workers not heard of for too long; their unsettled deliveries are uncertain."""
    leases = batches.overdue(connection, terms=terms, now=now)
    for lease in leases:
        lines = _once_more(connection, lease, unknown(_in_hand(connection, lease)), now)
        ledger.write(connection, lines, over=DeliveryState.QUEUED, now=now)
        batches.give_back(connection, lease, now=now)
    return leases


def _once_more(connection: sa.Connection, lease: Lease, lines: list[Line], now: datetime) -> list[Line]:
    """Let those be sent again that are uncertain for the first time, of a mailing that repeats."""
    if all(line.verdict.state is not DeliveryState.UNCERTAIN for line in lines):
        return lines
    repeatable = set(
        connection.scalars(
            sa.select(col(Delivery.id))
            .join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
            .where(
                col(Mailing.id) == lease.mailing,
                col(Mailing.repeats),
                ~col(Delivery.repeated),
                col(Delivery.id).between(lease.lo, lease.hi),
            )
        )
    )
    return [
        line._replace(verdict=once_more(line.verdict, now)) if line.delivery in repeatable else line for line in lines
    ]


def _in_hand(connection: sa.Connection, lease: Lease) -> Sequence[tuple[int, int]]:
    rows = connection.execute(
        sa.select(col(Delivery.id), col(Delivery.attempts)).where(*batches.in_hand(lease)).order_by(col(Delivery.id))
    )
    return [(row.id, row.attempts) for row in rows]
