"""A tag: a district or topic that an article is given, and why. Free of the database, so that decisions stay pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TagKind(StrEnum):
    DISTRICT = "district"
    TOPIC = "topic"


Key = tuple[TagKind, str]


@dataclass(frozen=True, slots=True)
class Tag:
    """A district or topic, and the word of the article that caused it."""

    kind: TagKind
    slug: str
    reason: str

    @property
    def key(self) -> Key:
        return self.kind, self.slug


class StoredTag(Protocol):
    """A tag as the database has it (mailer.news.models.NewsTag): what a person said of it too."""

    kind: TagKind
    slug: str
    reason: str
    locked: bool
    removed: bool
