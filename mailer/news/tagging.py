"""The tags of an article: what the rules find, what its source stands for; what a person said goes before. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailer.news.districts import districts_of
from mailer.news.tags import Key, StoredTag, Tag, TagKind
from mailer.news.topics import topics_of

BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Retagging:
    """What to change so that the automatic tags of an article fit its text again."""

    add: tuple[Tag, ...]
    reword: tuple[Tag, ...]
    drop: tuple[Key, ...]


def tags_of(title: str, body: str) -> tuple[Tag, ...]:
    """Return what the rules find in an article."""
    districts = (Tag(TagKind.DISTRICT, finding.slug, finding.reason) for finding in districts_of(title, body))
    topics = (Tag(TagKind.TOPIC, finding.slug, finding.reason) for finding in topics_of(title, body))
    return (*districts, *topics)


def tags_of_source(source: str, districts: Collection[str], topics: Collection[str]) -> tuple[Tag, ...]:
    """Return the tags that config gives to everything from a source."""
    reason = f"source {source}"
    given = [*((TagKind.DISTRICT, slug) for slug in districts), *((TagKind.TOPIC, slug) for slug in topics)]
    return tuple(Tag(kind, slug, reason) for kind, slug in given)


def retag(present: Sequence[StoredTag], wanted: Sequence[Tag]) -> Retagging:
    """Decide what changes. What a person added, removed or locked stays as the person left it."""
    by_key = {(tag.kind, tag.slug): tag for tag in present}
    wanted_by_key = {tag.key: tag for tag in reversed(wanted)}  # the first reason wins
    ours = {key for key, tag in by_key.items() if not (tag.locked or tag.removed or tag.reason == BY_HAND)}
    return Retagging(
        add=tuple(tag for key, tag in wanted_by_key.items() if key not in by_key),
        reword=tuple(tag for key, tag in wanted_by_key.items() if key in ours and by_key[key].reason != tag.reason),
        drop=tuple(key for key in by_key if key in ours and key not in wanted_by_key),
    )
