"""News as it is stored: items, why each is tagged as it is, and how each source is doing."""

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

# A word of these tables too; "as" says that it may be had from here.
from mailer.news.tags import TagKind as TagKind  # noqa: PLC0414  as above
from subscribers.column_types import stored

IMAGES = "images"  # the folder in the data folder that holds the pictures


class NewsItem(SQLModel, table=True):
    """One article. `locked` names the fields a person set, comma separated: an update leaves them alone.

    Items of one file keep its order by their ids. `story_id` is the id of the first telling of the same story.
    """

    __tablename__ = "news_item"
    __table_args__ = (UniqueConstraint("source", "guid"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64)
    guid: str = Field(max_length=500)
    title: str
    body: str  # plain text; paragraphs apart by a blank line
    url: str | None = None
    language: str = Field(default="sv", max_length=5)
    published_at: datetime = Field(index=True)
    fetched_at: datetime
    expires_at: datetime | None = None
    important: bool = False
    hidden: bool = False
    approved: bool = True
    story_id: int | None = Field(default=None, index=True)
    image: str | None = Field(default=None, max_length=80)  # file name in the data folder's images/
    image_alt: str = ""
    image_width: int | None = None
    image_height: int | None = None
    locked: str = ""
    fingerprint: str = Field(max_length=64)  # SHA-256 of what the source said last


class NewsTag(SQLModel, table=True):
    """A district or topic of an item. `reason` is the word that caused it, or "by hand".

    A tag that a person removed stays as a row with `removed`, so that tagging again does not bring it back.
    """

    __tablename__ = "news_tag"

    item_id: int = Field(foreign_key="news_item.id", primary_key=True)
    kind: TagKind = Field(sa_column=Column(stored(TagKind), primary_key=True))
    slug: str = Field(primary_key=True, max_length=64)
    reason: str = ""
    locked: bool = False
    removed: bool = False


class SourceState(SQLModel, table=True):
    """How a source is doing: what to ask it with next time, and since when it is broken."""

    __tablename__ = "source_state"

    source: str = Field(primary_key=True, max_length=64)
    fetched_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    broken_since: datetime | None = None
    error: str | None = None
    items: int = 0
