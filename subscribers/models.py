"""The register: who the members are, what they chose, and the proof that they may be written to."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from subscribers.column_types import BigId, Sealed, stored

# Words of these tables too; "as" says that they may be had from here.
from subscribers.reader import Cadence as Cadence  # noqa: PLC0414  as above
from subscribers.states import Ground as Ground  # noqa: PLC0414  as above
from subscribers.states import State as State  # noqa: PLC0414  as above


class DistrictKind(StrEnum):
    COUNTY = "county"
    MUNICIPALITY = "municipality"
    CITY_DISTRICT = "city district"


class District(SQLModel, table=True):
    """A part of the tree county > municipality > city district."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=100)
    kind: DistrictKind = Field(sa_column=Column(stored(DistrictKind), nullable=False))
    parent_id: int | None = Field(default=None, foreign_key="district.id")


class Topic(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=100)  # Swedish
    name_en: str = Field(max_length=100)


class Member(SQLModel, table=True):
    """One person. The number is the register's; `*_key` are keyed hashes, the rest of a person is sealed.

    An address may belong to several members, so `address_key` is not unique. `chosen_by` says who last set
    language, districts and topics by will (link, form, secretary); while it is None an import may set them.
    `address_by` says the same of the address: set once both mailboxes have agreed to the member's own change.
    `address_since` is when the address last became another one: what comes back of older letters is not about it.
    """

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    number: str | None = Field(default=None, sa_column=Column(Sealed("member.number")))
    number_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), unique=True))
    address: str | None = Field(default=None, sa_column=Column(Sealed("member.address")))
    address_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), index=True))
    given_name: str | None = Field(default=None, sa_column=Column(Sealed("member.given_name")))
    family_name: str | None = Field(default=None, sa_column=Column(Sealed("member.family_name")))
    language: str = Field(default="sv", max_length=5)
    plain_only: bool = False
    state: State = Field(default=State.ACTIVE, sa_column=Column(stored(State), nullable=False))
    ground: Ground = Field(default=Ground.MEMBER, sa_column=Column(stored(Ground), nullable=False))
    chosen_by: str | None = Field(default=None, max_length=16)
    address_by: str | None = Field(default=None, max_length=16)
    address_since: datetime | None = None
    created_at: datetime
    changed_at: datetime


class MemberDistrict(SQLModel, table=True):
    """A district the member chose; never inferred."""

    __tablename__ = "member_district"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True))
    district_id: int = Field(foreign_key="district.id", primary_key=True)


class MemberTopic(SQLModel, table=True):
    """A topic the member chose; a member with none is told of all."""

    __tablename__ = "member_topic"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True))
    topic_id: int = Field(foreign_key="topic.id", primary_key=True)


class Subscription(SQLModel, table=True):
    """Member x Publication. An ended one stays as a row, so that an import cannot bring it back."""

    __table_args__ = (
        Index("ix_subscription_publication_member", "publication", "member_id"),
        {"sqlite_with_rowid": False},
    )

    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True))
    publication: str = Field(primary_key=True, max_length=64)
    cadence: Cadence = Field(default=Cadence.WEEKLY, sa_column=Column(stored(Cadence), nullable=False))
    paused_until: date | None = None
    since: datetime
    ended_at: datetime | None = None


class AddressChange(SQLModel, table=True):
    """An address that a member wants to be written to at, until both mailboxes have confirmed it. One at a time.

    The number stands in a link: it is never used again.
    """

    __tablename__ = "address_change"

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), nullable=False))
    address: str = Field(sa_column=Column(Sealed("address_change.address"), nullable=False))
    asked_at: datetime
    new_at: datetime | None = None  # the new mailbox has confirmed
    old_at: datetime | None = None

    __table_args__ = (
        UniqueConstraint("member_id"),
        {"sqlite_autoincrement": True},
    )


class FormerAddress(SQLModel, table=True):
    """Keyed hash of an address that a member changed themself: a register that was not told still means them by it."""

    __tablename__ = "former_address"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True))
    address_key: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    at: datetime  # when it was changed


class SignUp(SQLModel, table=True):
    """What somebody asked for on a page, until its mailbox has confirmed it. The number stands in a link.

    shown      the text that they said yes to, and the page it stood on; `wording` is the text's version
    member_id  whose mailbox was asked to confirm; None while nobody was
    recruiter_id  the member whose link it came by; no foreign key, as it may be anything by now
    """

    __tablename__ = "sign_up"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(sa_column=Column(Sealed("sign_up.address"), nullable=False))
    address_key: bytes = Field(sa_column=Column(LargeBinary(32), index=True, nullable=False))
    publication: str = Field(max_length=64)
    district: str | None = Field(default=None, max_length=64)
    language: str = Field(max_length=5)
    wording: str = Field(max_length=64)
    shown: str = Field(sa_column=Column(Sealed("sign_up.shown"), nullable=False))
    asked_at: datetime = Field(index=True)
    member_id: int | None = Field(
        default=None, sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), index=True)
    )
    recruiter_id: int | None = Field(default=None, sa_column=Column(BigInteger))


class ConsentKind(StrEnum):
    GIVEN = "given"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class Consent(SQLModel, table=True):
    """Append-only evidence, GDPR Art. 7(1). `publication` None speaks of all of them."""

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    member_id: int = Field(
        sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), index=True, nullable=False)
    )
    publication: str | None = Field(default=None, max_length=64)
    kind: ConsentKind = Field(sa_column=Column(stored(ConsentKind), nullable=False))
    at: datetime
    source: str = Field(max_length=64)  # import, link, one-click, form, secretary
    wording: str = Field(default="", max_length=64)  # version of the text that was shown
    evidence: str | None = Field(default=None, sa_column=Column(Sealed("consent.evidence")))


class Scope(StrEnum):
    """`all`: nothing goes there. `bulk`: only statutory letters."""

    ALL = "all"
    BULK = "bulk"


class Suppression(SQLModel, table=True):
    """An address that is not written to, known only by its keyed hash; outlives the member."""

    __table_args__ = (UniqueConstraint("address_key", "reason"),)

    id: int | None = Field(default=None, primary_key=True)
    address_key: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    scope: Scope = Field(sa_column=Column(stored(Scope), nullable=False))
    reason: str = Field(max_length=32)  # dead, erased, asked, complaint, left
    at: datetime


class Erased(SQLModel, table=True):
    """Keyed hash of the number or the address of someone erased: an import may not bring them back.

    Apart from Suppression, which speaks of where mail may go: the other half of a couple keeps their address.
    """

    key: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    at: datetime


class ImportMapping(SQLModel, table=True):
    """Which column of a member file means what, remembered by the header row it was agreed for."""

    __tablename__ = "import_mapping"

    header_key: str = Field(primary_key=True, max_length=64)  # SHA-256 of the header names
    columns: str  # JSON: field -> header name
    at: datetime


class ImportRun(SQLModel, table=True):
    """One import. Its rows are staged in short transactions; setting `accepted_at` is the switch.

    Before it nothing counts and the next import sweeps the rows; after it they are applied, by whoever comes
    first, until none is left (`done_at`).
    """

    __tablename__ = "import_run"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    rows: int
    accepted_at: datetime | None = None
    done_at: datetime | None = None


class ImportRow(SQLModel, table=True):
    """What an import does to some members: a sealed JSON list, deleted in the transaction that applies it."""

    __tablename__ = "import_row"
    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy's own form

    run_id: int = Field(foreign_key="import_run.id", primary_key=True)
    place: int = Field(primary_key=True)
    change: str = Field(sa_column=Column(Sealed("import_row.change"), nullable=False))


class Access(SQLModel, table=True):
    """Who read or exported personal data, when: the register's own diary."""

    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True))
    at: datetime
    who: str = Field(max_length=100)
    what: str = Field(max_length=64)  # an Act of subscribers.access
    member_id: int | None = Field(default=None, sa_column=Column(BigId))
    count: int = 1
