"""The states of the post office's books, in words; free of the database, so that decisions stay pure."""

from enum import IntEnum, StrEnum


class MailingState(StrEnum):
    """draft: being prepared. approved: waits for its time. planned: its deliveries are valid and due.

    paused: a person stopped it. held: it was late, or the backup it came from was restored; a person decides.
    done: the equation holds and nothing is left. cancelled: a person ended it.
    """

    DRAFT = "draft"
    APPROVED = "approved"
    PLANNED = "planned"
    PAUSED = "paused"
    HELD = "held"
    DONE = "done"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"

    __hash__ = str.__hash__  # the same for the word itself; Enum's hashes the name, in Python, for each outcome


class BatchState(StrEnum):
    OPEN = "open"
    LEASED = "leased"
    CLOSED = "closed"


class Lane(IntEnum):
    """Whose turn it is: somebody waits for a letter to one, and it does not queue behind a million others."""

    ONE = 0
    MANY = 1


class BreakerState(StrEnum):
    """Of a provider that rests; mailer.outbox.breaker says what each means."""

    OPEN = "open"
    HALF_OPEN = "half-open"
