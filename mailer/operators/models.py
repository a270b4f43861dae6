"""What approval was asked for, and who signed. No member stands in it."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Boolean, Column, Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from subscribers.column_types import stored

GOOD_FOR = timedelta(days=7)  # a request, and the links to it


class Outcome(StrEnum):
    """open: somebody's part is missing. granted: it may go. changed: what was asked for is not what it says now.

    declined: an approver said no. taken back: within the undo window.
    """

    OPEN = "open"
    GRANTED = "granted"
    CHANGED = "changed"
    DECLINED = "declined"
    TAKEN_BACK = "taken back"


class ApprovalRequest(SQLModel, table=True):
    """`key` is the mailing's; `content` the hash of what it said, `districts` slugs with spaces ("*": not bound).

    not_before  of what was granted: until then it can be taken back, and nothing leaves
    by_clock    it was due and nobody had asked
    """

    __tablename__ = "approval_request"
    __table_args__ = (Index("ix_approval_request_key", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=100)
    content: str = Field(max_length=64)
    people: int
    districts: str
    asked_by: str = Field(max_length=64)
    asked_at: datetime
    outcome: Outcome = Field(default=Outcome.OPEN, sa_column=Column(stored(Outcome), nullable=False))
    ended_at: datetime | None = None
    ended_by: str | None = Field(default=None, max_length=64)
    not_before: datetime | None = None
    by_clock: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))

    def is_over(self, now: datetime) -> bool:
        """Whether it was asked for so long ago that nobody can sign it any more."""
        return now - self.asked_at > GOOD_FOR

    def is_standing(self, now: datetime) -> bool:
        """Whether somebody was asked and nobody has granted it: they still may, or said no."""
        waits = self.outcome is Outcome.OPEN and not self.is_over(now)
        return waits or self.outcome in {Outcome.DECLINED, Outcome.TAKEN_BACK}


class ApprovalSignature(SQLModel, table=True):
    """One operator's part. `way`: an account of this system, or a link that was sent to them."""

    __tablename__ = "approval_signature"
    __table_args__ = (UniqueConstraint("request_id", "operator"),)

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="approval_request.id")
    operator: str = Field(max_length=64)
    way: str = Field(max_length=16)
    signed_at: datetime
