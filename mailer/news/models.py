"""News as it is stored: items, why each is tagged as it is, and how each source is doing."""

import json
from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

# A word of these tables too; "as" says that it may be had from here.
from mailer.news.tags import TagKind as TagKind  # noqa: PLC0414  as above
from mailer.sentences import Sentence
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
    """How a source is doing: what to ask it with next time, since when it is broken, and why.

    error         a sentence in English, its {names} still to be filled: it is translated for whoever reads it
    error_values  JSON: what stands for the names
    """

    __tablename__ = "source_state"

    source: str = Field(primary_key=True, max_length=64)
    fetched_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    broken_since: datetime | None = None
    error: str | None = None
    error_values: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    items: int = 0

    @property
    def why(self) -> Sentence | None:
        """Return why it is broken, None when it is not."""
        return Sentence(self.error, json.loads(self.error_values)) if self.error else None

    def works(self) -> None:
        self.broken_since, self.error, self.error_values = None, None, "{}"

    def breaks(self, why: Sentence, now: datetime) -> None:
        """Note why; it is broken since the first failure in a row."""
        self.broken_since = self.broken_since or now
        self.error = why.text
        self.error_values = json.dumps({name: str(value) for name, value in why.values.items()}, ensure_ascii=False)
