"""The post office's books: Mailing, Variant, Delivery, Batch.

A Mailing is planned under a plan number; its rows are written in short transactions and become valid all at
once when `Mailing.plan` is set to that number. A plan that never got there is swept before the next one.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, false
from sqlmodel import Field, SQLModel

# Words of these tables too; "as" says that they may be had from here.
from mailer.outbox.states import BatchState as BatchState  # noqa: PLC0414  as above
from mailer.outbox.states import BreakerState as BreakerState  # noqa: PLC0414  as above
from mailer.outbox.states import DeliveryState as DeliveryState  # noqa: PLC0414  as above
from mailer.outbox.states import Lane as Lane  # noqa: PLC0414  as above
from mailer.outbox.states import MailingState as MailingState  # noqa: PLC0414  as above
from subscribers.column_types import BigId, Sealed, stored
from subscribers.streams import Stream as Stream  # noqa: PLC0414  as above


class Mailing(SQLModel, table=True):
    """One occasion to write to many. `key` is unique: whoever comes second inserts nothing.

    letter      folder of templates/email/
    content     JSON, frozen when planned: what every variant shares (subject, intro, ...)
    late_at     not begun by then: held for a person
    send_by     not sent whole by then: held for a person
    resumed_at  a person let it go on: what had come back by then is weighed
    give_up_at  a delivery still deferred by then has failed
    planning    number of the plan being written; whoever holds an older number has been overtaken
    candidates  how many deliveries the valid plan has
    stream      what may stop it at send time, see subscribers.streams
    repeats     an uncertain delivery is sent once more by itself, as the same bytes
    address     of a letter to one that goes elsewhere than to the member's own address
    """

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=100)
    publication: str = Field(max_length=64)
    letter: str = Field(max_length=64)
    state: MailingState = Field(
        default=MailingState.DRAFT, sa_column=Column(stored(MailingState), nullable=False, index=True)
    )
    reason: str = ""  # why it is paused, held or cancelled, as a sentence
    content: str = "{}"
    plan: int | None = None
    planning: int = 0
    candidates: int = 0
    stream: Stream = Field(
        default=Stream.BULK, sa_column=Column(stored(Stream), nullable=False, server_default=Stream.BULK.value)
    )
    repeats: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    address: str | None = Field(default=None, sa_column=Column(Sealed("mailing.address")))
    created_at: datetime
    send_at: datetime | None = None
    late_at: datetime | None = None
    send_by: datetime | None = None
    resumed_at: datetime | None = None
    give_up_at: datetime | None = None
    started_at: datetime | None = None
    done_at: datetime | None = None


class Piece(SQLModel, table=True):
    """One block of a mailing as it was when planned (a news item); variants refer to it by `ref`."""

    mailing_id: int = Field(foreign_key="mailing.id", primary_key=True)
    ref: int = Field(primary_key=True)
    content: str  # JSON


class Variant(SQLModel, table=True):
    """One distinct content of a mailing. `content` is JSON, of a digest as mailer.digest.contents says."""

    __table_args__ = (Index("ix_variant_mailing", "mailing_id", "plan"),)

    id: int | None = Field(default=None, primary_key=True)
    mailing_id: int = Field(foreign_key="mailing.id")
    plan: int
    language: str = Field(max_length=5)
    plain_only: bool = False
    content: str


class Archived(SQLModel, table=True):
    """Which variant the archive shows of a mailing to whoever looks for a district ("": for none in particular).

    issue         what addresses of the archive call the mailing, such as "2026-W47"
    corrected_at  since when it is the variant with the corrected words
    """

    __table_args__ = (
        UniqueConstraint("mailing_id", "district", "language"),
        Index("ix_archived_place", "publication", "district", "language"),
    )

    id: int | None = Field(default=None, primary_key=True)
    mailing_id: int = Field(foreign_key="mailing.id")
    publication: str = Field(max_length=64)
    issue: str = Field(max_length=32)
    district: str = Field(max_length=64)
    language: str = Field(max_length=5)
    variant_id: int = Field(foreign_key="variant.id", index=True)
    title: str
    corrected_at: datetime | None = None


class VariantStory(SQLModel, table=True):
    """Which stories a variant tells: what its readers have had."""

    __tablename__ = "variant_story"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    variant_id: int = Field(foreign_key="variant.id", primary_key=True)
    story_id: int = Field(primary_key=True, index=True)


class VariantEvent(SQLModel, table=True):
    """Which events a variant tells, and which revision of each: what its readers were told of time and place."""

    __tablename__ = "variant_event"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    variant_id: int = Field(foreign_key="variant.id", primary_key=True)
    event_id: int = Field(primary_key=True, index=True)
    sequence: int


class Delivery(SQLModel, table=True):
    """One Mailing to one Member. Ids run in variant order, households side by side; batches are ranges of ids.

    household   the member id that the household's one mail is addressed for; None for a mail of one's own
    repeated    it was uncertain once, and sent again because its mailing repeats
    answer      what the server said, masked
    for_content refused for what was in it: nothing is said of the address
    """

    # No index by member alone: its scattered pages made planning four times slower. A member's deliveries are found
    # with `mailing_id IN (SELECT id FROM mailing) AND member_id = ?`, one step per mailing.
    # On PostgreSQL two thirds of each page are left for the outcomes, as a row with one is longer: a changed row that
    # stays on its page enters no index anew. https://www.postgresql.org/docs/current/storage-hot.html
    __table_args__ = (UniqueConstraint("mailing_id", "member_id"), {"postgresql_with": {"fillfactor": 35}})

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    mailing_id: int = Field(foreign_key="mailing.id")
    plan: int
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))  # no foreign key: outlives the member
    household: int | None = Field(default=None, sa_column=Column(BigInteger))
    variant_id: int
    state: DeliveryState = Field(default=DeliveryState.QUEUED, sa_column=Column(stored(DeliveryState), nullable=False))
    due_at: datetime | None = None  # of a deferred one; None: at once
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, default=0))
    repeated: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    provider: str | None = Field(default=None, max_length=32)
    code: str | None = Field(default=None, max_length=16)
    answer: str | None = Field(default=None, max_length=500)
    for_content: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    settled_at: datetime | None = None


class Batch(SQLModel, table=True):
    """Deliveries with ids lo..hi that one worker holds for a while. The row is the only truth about who may send.

    With a deferred delivery left in it the batch opens again, due when the first of them is; it closes when
    every delivery in it has its final state. While it is leased, `due_at` is the moment it was: what was due by
    then is in the holder's hands. Of the batches that are due those of the lowest `lane` go first.
    """

    __table_args__ = (Index("ix_batch_due", "state", "lane", "due_at"),)

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    mailing_id: int = Field(sa_column=Column(ForeignKey("mailing.id"), nullable=False, index=True))
    plan: int
    lo: int = Field(sa_column=Column(BigInteger, nullable=False))
    hi: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: BatchState = Field(default=BatchState.OPEN, sa_column=Column(stored(BatchState), nullable=False))
    lane: int = Field(
        default=Lane.MANY, sa_column=Column(SmallInteger, nullable=False, server_default=str(Lane.MANY.value))
    )
    due_at: datetime
    owner: str | None = Field(default=None, max_length=64)
    leased_until: datetime | None = None
    waiting: int | None = None  # queued deliveries when it was last given back; None: all, it was never leased
    fence: int = 0  # grows with each lease; an older holder finds its own number outdated


class Breaker(SQLModel, table=True):
    """A provider that rests, for all workers; mailer.outbox.breaker says what the states mean. No row: it is up.

    because  a sentence with names of `details`, which is JSON and masked
    """

    provider: str = Field(primary_key=True, max_length=32)
    state: BreakerState = Field(sa_column=Column(stored(BreakerState), nullable=False))
    since: datetime
    until: datetime
    rest: int  # seconds
    because: str
    details: str
    refused: bool


class Beat(SQLModel, table=True):
    """The first moment that no worker was given yet, of a provider with a pace. Its lock orders what workers take."""

    provider: str = Field(primary_key=True, max_length=32)
    next_at: datetime | None = None


class Share(SQLModel, table=True):
    """Connections to a provider that a worker may have open: of all workers together no more than it allows.

    until  not heard of by then, it has lost them to the others
    """

    provider: str = Field(primary_key=True, max_length=32)
    worker: str = Field(primary_key=True, max_length=64)
    number: int
    until: datetime


class Spent(SQLModel, table=True):
    """Letters granted to a provider in a slice of time: `width` seconds from `at` (a day: of the site's calendar)."""

    provider: str = Field(primary_key=True, max_length=32)
    width: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True)
    number: int


class Tally(SQLModel, table=True):
    """What happened so far, for whoever watches: numbers that only grow. The books are the deliveries.

    what    an outcome ("sent", "deferred", ...), or how long an answer took ("took 0.1": at most so many seconds)
    """

    provider: str = Field(primary_key=True, max_length=32)
    what: str = Field(primary_key=True, max_length=16)
    number: float


class Presence(SQLModel, table=True):
    """A living worker, and when it last said so."""

    worker: str = Field(primary_key=True, max_length=64)
    seen_at: datetime


class Home(SQLModel, table=True):
    """One row: where this database lies, and how far it has come; mailer.outbox.home says what for.

    restored_at  when it was last found to be a copy that was put back
    """

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    place: str = Field(max_length=100)
    leases: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    restored_at: datetime | None = None
