"""Putting articles into the database: new ones in, changed ones up to date, and what a person set left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mailer.news.models import NewsItem, NewsTag, SourceState
from mailer.news.parsed import ParsedItem, StoredImage, Validators
from mailer.news.stories import WINDOW, Stories, Telling
from mailer.news.tagging import retag, tags_of
from mailer.news.tags import Tag

TAGS = "tags"  # in NewsItem.locked: no automatic tag comes or goes


@dataclass(frozen=True, slots=True)
class ReadyItem:
    """An article made ready outside the transaction: its picture copied, its tags found."""

    parsed: ParsedItem
    tags: tuple[Tag, ...]
    image: StoredImage | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all articles of a batch. `published_at` is for those that do not say."""

    source: str
    published_at: datetime
    approved: bool = True
    source_tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """How many articles were new, changed and unchanged, and the ids of all, in the source's order."""

    added: int
    changed: int
    unchanged: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a source before it is asked: what to ask it with, and a fingerprint per guid."""

    validators: Validators
    fingerprints: dict[str, str]


def remember(session: Session, source: str) -> Memory:
    """Gather what a fetch needs to know.

    After a failure nothing is asked conditionally: "not modified" would say nothing of what we could not read.
    """
    state = session.get(SourceState, source)
    rows = session.exec(select(NewsItem.guid, NewsItem.fingerprint).where(NewsItem.source == source)).all()
    validators = Validators(state.etag, state.last_modified) if state and not state.broken_since else Validators()
    return Memory(validators, dict(rows))


def store(session: Session, ready_items: Sequence[ReadyItem], terms: Terms, *, now: datetime) -> Stored:
    """Insert or update articles by (source, guid), in their order; tag them and put them with their story."""
    known = {item.guid: item for item in session.exec(select(NewsItem).where(NewsItem.source == terms.source))}
    placed: list[NewsItem] = []
    new: list[NewsItem] = []
    changed = 0
    for ready in ready_items:
        item = known.get(ready.parsed.guid)
        if item is None:
            item = known[ready.parsed.guid] = _insert(session, ready, terms, now)
            new.append(item)
        elif item.fingerprint != ready.parsed.fingerprint:
            _update(session, item, ready, terms, now)
            changed += 1
        placed.append(item)
    put_with_stories(session, new)
    ids = tuple(dict.fromkeys(id_of(item) for item in placed))
    return Stored(len(new), changed, len(ids) - len(new) - changed, ids)


def id_of(item: NewsItem) -> int:
    """Return the id of an article that is stored."""
    if item.id is None:
        raise ValueError("the article is not stored yet")
    return item.id


def locked_fields(item: NewsItem) -> frozenset[str]:
    """Return the fields that a person set."""
    return frozenset(filter(None, item.locked.split(",")))


def lock(item: NewsItem, *fields: str) -> None:
    """Note that a person set these fields, so that no update changes them."""
    item.locked = ",".join(sorted({*locked_fields(item), *fields}))


def _insert(session: Session, ready: ReadyItem, terms: Terms, now: datetime) -> NewsItem:
    said = ready.parsed
    item = NewsItem(
        source=terms.source,
        guid=said.guid,
        title=said.title,
        body=said.body,
        url=said.url,
        published_at=_moment(said, terms, now),
        fetched_at=now,
        approved=terms.approved,
        fingerprint=said.fingerprint,
    )
    _set_image(item, ready)
    session.add(item)
    session.flush()
    _apply_tags(session, item, (*ready.tags, *terms.source_tags))
    return item


def _update(session: Session, item: NewsItem, ready: ReadyItem, terms: Terms, now: datetime) -> None:
    said = ready.parsed
    kept = locked_fields(item)
    fresh: dict[str, object] = {"title": said.title, "body": said.body, "url": said.url}
    if said.published_at:
        fresh["published_at"] = _moment(said, terms, now)
    for field, value in fresh.items():
        if field not in kept:
            setattr(item, field, value)
    _set_image(item, ready)
    item.fetched_at = now
    item.fingerprint = said.fingerprint
    # A person's own title or body decides over the source's.
    tags = tags_of(item.title, item.body) if kept & {"title", "body"} else ready.tags
    if TAGS not in kept:
        _apply_tags(session, item, (*tags, *terms.source_tags))


def _moment(said: ParsedItem, terms: Terms, now: datetime) -> datetime:
    """A source cannot date its news into the future, where it would stay the newest for ever."""
    return min(said.published_at, now) if said.published_at else terms.published_at


def _set_image(item: NewsItem, ready: ReadyItem) -> None:
    """Take over the picture; one that could not be fetched again leaves the old one in its place."""
    if ready.image:
        item.image, item.image_width, item.image_height = ready.image.name, ready.image.width, ready.image.height
        item.image_alt = ready.parsed.image_alt
    elif ready.parsed.image_url is None:
        item.image = item.image_width = item.image_height = None
        item.image_alt = ""


def _apply_tags(session: Session, item: NewsItem, wanted: Sequence[Tag]) -> None:
    present = session.exec(select(NewsTag).where(NewsTag.item_id == item.id)).all()
    by_key = {(tag.kind, tag.slug): tag for tag in present}
    change = retag(present, wanted)
    for key in change.drop:
        session.delete(by_key[key])
    for tag in change.reword:
        by_key[tag.key].reason = tag.reason
    session.add_all(NewsTag(item_id=id_of(item), kind=t.kind, slug=t.slug, reason=t.reason) for t in change.add)


def apply_rules(session: Session, item: NewsItem, source_tags: Sequence[Tag] = ()) -> None:
    """Tag an article anew from its present title and body, unless a person locked its tags."""
    if TAGS not in locked_fields(item):
        _apply_tags(session, item, (*tags_of(item.title, item.body), *source_tags))


def put_with_stories(session: Session, items: Sequence[NewsItem]) -> None:
    """Give new articles the story of the first telling that is near-identical, or one of their own."""
    if not items:
        return
    moments = [item.published_at for item in items]
    around = col(NewsItem.published_at).between(min(moments) - WINDOW, max(moments) + WINDOW)
    new = {item.id for item in items}
    others = session.exec(select(NewsItem).where(around).order_by(col(NewsItem.id))).all()
    stories = Stories(_telling(other) for other in others if other.id not in new)
    for item in items:
        item.story_id = stories.place(_telling(item))


def _telling(item: NewsItem) -> Telling:
    return Telling(id_of(item), item.title, item.body, item.published_at, item.story_id)
