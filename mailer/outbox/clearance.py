"""Who of a letter may be written to now, and what the books say of those who may not."""

from collections.abc import Callable, Iterable, Sequence

from mailer.outbox.ledger import Entry, Line
from mailer.outbox.manifest import Held
from mailer.outbox.models import DeliveryState
from mailer.outbox.permission import Permission
from mailer.outbox.piles import Task
from mailer.outbox.verdicts import Verdict


def refused(permission: Permission, task: Task, soon: Callable[[], Iterable[Task]]) -> list[Held]:
    """Return those of a letter who may not be written to. `soon`: those who will be asked about next."""
    others = (held.member for other in soon() if other.pile is task.pile for held in other.letter.held)
    return [held for held in task.letter.held if not _may_be_sent(permission, task, held, others)]


def _may_be_sent(permission: Permission, task: Task, held: Held, others: Iterable[int]) -> bool:
    return held.recipient is not None and permission.allowed(task.pile.occasion, held.member, others)


def cancel(permission: Permission, task: Task, those: Sequence[Held]) -> list[Entry]:
    """Take those who may not be written to off a letter, and return why; the rest of a household shares the mail."""
    reasons = permission.why_not(task.pile.occasion, [held.member for held in those])
    left = tuple(held for held in task.letter.held if held not in those)
    lease, attempts = task.pile.lease, task.letter.attempts
    task.give_to(left)
    verdicts = [Verdict(DeliveryState.CANCELLED, code=reasons[held.member], attempts=attempts) for held in those]
    return [Entry(lease, Line(held.delivery, verdict)) for held, verdict in zip(those, verdicts, strict=True)]
