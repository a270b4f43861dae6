"""What came back, event by event. A Delivery says what we did; this says what happened after."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from mailer.feedback.causes import Cause
from mailer.feedback.events import Kind as Kind  # noqa: PLC0414  # a word of this table too
from mailer.feedback.policy import Action
from subscribers.column_types import BigId, stored


class Standing(StrEnum):
    """judged: its action was taken. held: a person decides. dismissed: a person decided that it means nothing."""

    JUDGED = "judged"
    HELD = "held"
    DISMISSED = "dismissed"


class Feedback(SQLModel, table=True):
    """One event. `key` is unique, so that an event told twice is kept once.

    address_key, host_key  keyed hashes of the member's address and of its domain; None once the member is erased
    words                  what the server said, masked
    """

    __table_args__ = (
        Index("ix_feedback_address", "address_key", "at"),
        Index("ix_feedback_mailing", "mailing_id", "kind"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    key: str = Field(unique=True, max_length=128)
    kind: Kind = Field(sa_column=Column(stored(Kind), nullable=False))
    source: str = Field(max_length=32)  # smtp, mailbox, or the provider
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))  # no foreign key: outlives them
    mailing_id: int
    address_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
    host_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
    at: datetime
    received_at: datetime
    cause: Cause | None = Field(default=None, sa_column=Column(stored(Cause)))  # of a bounce
    status: str = Field(default="", max_length=16)
    reply: str = Field(default="", max_length=8)
    words: str = Field(default="", max_length=500)
    action: Action = Field(sa_column=Column(stored(Action), nullable=False))
    standing: Standing = Field(default=Standing.JUDGED, sa_column=Column(stored(Standing), nullable=False))


class HookCall(SQLModel, table=True):
    """A request of a provider that told something: told again, it is known by its `key`.

    words   an event that was not described when this was written, masked; or that it was about no mail of ours
    """

    __tablename__ = "hook_call"

    key: str = Field(primary_key=True, max_length=128)
    provider: str = Field(max_length=32)
    received_at: datetime = Field(index=True)
    words: str = Field(default="", max_length=200)


class Incoming(SQLModel, table=True):
    """How many mails of a kind came in: for whoever watches, mails of nobody are seen nowhere else."""

    what: str = Field(primary_key=True, max_length=16)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))


class Bookmark(SQLModel, table=True):
    """How far a mailbox was read. Mails are only ever added above `uid`, as long as `validity` is the same (RFC 3501).

    place  a hash of server, account and folder
    """

    place: str = Field(primary_key=True, max_length=64)
    validity: int = Field(sa_column=Column(BigInteger, nullable=False))
    uid: int = Field(sa_column=Column(BigInteger, nullable=False))
