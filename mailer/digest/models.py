"""An Edition: one dated run of a recurring publication, and what its editor decided about it."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class Edition(SQLModel, table=True):
    """Shares its id with nothing; its Mailing carries the key "weekly:2026-W47" and the state."""

    __table_args__ = (UniqueConstraint("publication", "period"),)

    id: int | None = Field(default=None, primary_key=True)
    publication: str = Field(max_length=64)
    period: str = Field(max_length=10)  # ISO week, "2026-W47"
    mailing_id: int = Field(foreign_key="mailing.id", unique=True)
    drafted_at: datetime
    approved_at: datetime | None = None
    approved_by: str | None = Field(default=None, max_length=100)
    not_before: datetime | None = None  # whoever approved it may still change their mind
    subject: str | None = None
    intro: str | None = None


class EditionChoice(SQLModel, table=True):
    """What the editor decided about one item: its place, that it leads, or that it is left out."""

    __tablename__ = "edition_choice"

    edition_id: int = Field(foreign_key="edition.id", primary_key=True)
    item_id: int = Field(foreign_key="news_item.id", primary_key=True)
    position: int | None = None
    lead: bool = False
    left_out: bool = False
