"""Where a person stands in the register, in words; free of the database, so that decisions stay pure."""

from enum import StrEnum


class State(StrEnum):
    """`pending` waits for a confirmation, `left` went away, `erased` is an empty shell that keeps the id taken."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    ERASED = "erased"


class Ground(StrEnum):
    """Why we may write: a member under GDPR Art. 9(2)(d), a supporter only by consent, Art. 9(2)(a)."""

    MEMBER = "member"
    SUPPORTER = "supporter"
