"""Who was welcomed, and the nights in which old data was deleted."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, ForeignKey
from sqlmodel import Field, SQLModel

from subscribers.column_types import BigId


class RetentionRun(SQLModel, table=True):
    """One night's deletions. `day` is unique: of two clocks one deletes. `counts` is JSON, how many by rule."""

    __tablename__ = "retention_run"

    day: date = Field(primary_key=True)
    at: datetime
    done_at: datetime | None = None
    counts: str = "{}"


class Recruit(SQLModel, table=True):
    """A newcomer who came by a member's link: in which district, and when. Not who. `recruiter_id` None: forgotten."""

    id: int | None = Field(default=None, primary_key=True)
    recruiter_id: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))
    district: str | None = Field(default=None, max_length=64)
    day: date


class Welcome(SQLModel, table=True):
    """That somebody is welcomed, once ever: the member is the key. `mailing_id` None: the letter is not posted yet."""

    member_id: int = Field(sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True))
    publication: str = Field(max_length=64)
    asked_at: datetime
    mailing_id: int | None = Field(default=None, index=True)
