"""Campaigns as they are stored: what was written, what was approved, and what stays of it for years."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from subscribers.column_types import Sealed


class Campaign(SQLModel, table=True):
    """A one-off letter. Its Mailing, "campaign:NAME", carries when it goes and how that went; states.py says the rest.

    source      JSON: [[file name, text], ...] as written; sealed, since a text may name people
    pictures    JSON: {as written: {"picture": name under its hash, "width", "height"}}
    content     hash of what the letter says as read last; `tested` and `approved`: of what was tested and approved
    people      ids of those it goes to, as approved (people.packed); empty once they are in the outbox
    not_before  no message of it leaves before that, whatever its time: somebody may still change their mind
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    mailing_id: int = Field(foreign_key="mailing.id", unique=True)
    kind: str = Field(max_length=16)
    source: str | None = Field(default=None, sa_column=Column(Sealed("campaign.source")))
    pictures: str = "{}"
    content: str = Field(max_length=64)
    drafted_at: datetime
    drafted_by: str = Field(max_length=100)
    changed_at: datetime
    tested: str | None = Field(default=None, max_length=64)
    tested_at: datetime | None = None
    approved: str | None = Field(default=None, max_length=64)
    approved_at: datetime | None = None
    approved_by: str | None = Field(default=None, max_length=100)
    not_before: datetime | None = None
    people: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class CampaignRecord(SQLModel, table=True):
    """What is kept for years of a letter to many: to whom in words, how many, who approved it. Nobody it went to.

    rule_sv, rule_en  the audience in words, as it was shown before approval
    counts            JSON: how the number came about, as subscribers.selection.Counted says
    joined_since, left_since   who would be in it too, and who is no longer, when it was sent
    """

    __tablename__ = "campaign_record"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=100)
    kind: str = Field(max_length=16)
    publication: str = Field(max_length=64)
    subject: str
    content: str = Field(max_length=64)
    rule_sv: str
    rule_en: str
    counts: str
    approved_at: datetime
    approved_by: str = Field(max_length=100)
    sent_at: datetime | None = None
    candidates: int | None = None
    joined_since: int | None = None
    left_since: int | None = None


class Segment(SQLModel, table=True):
    """An audience under a name. `rule` is JSON in the form of rules.Rule; members in it are ids."""

    name: str = Field(primary_key=True, max_length=64)
    rule: str
    made_at: datetime
    made_by: str = Field(max_length=100)
