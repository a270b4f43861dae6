"""What a person does with the news: write it, correct it, tag it, hold it back. What a person set stays set."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from mailer.errors import Mistake
from mailer.news.markup import web_address
from mailer.news.models import NewsItem, NewsTag, TagKind
from mailer.news.parsed import ParsedItem, guid_of_title, one_line, paragraphs
from mailer.news.reference import find_tag
from mailer.news.storing import TAGS, apply_rules, id_of, lock, locked_fields, put_with_stories
from mailer.news.tagging import BY_HAND

WRITTEN_HERE = "own"  # the source of such news


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person writes or changes; None leaves a field as it is. Texts are plain, a blank line parts paragraphs."""

    title: str | None = None
    body: str | None = None
    url: str | None = None
    published_at: datetime | None = None


def find_item(session: Session, item_id: int) -> NewsItem:
    """raises Mistake when there is no such article"""
    item = session.get(NewsItem, item_id)
    if item is None:
        raise Mistake("There is no news item {id}; `utskick news list` shows those there are.", id=item_id)
    return item


def add(session: Session, wording: Wording, tags: Collection[str], *, now: datetime) -> NewsItem:
    """Write an article. With `tags` (slugs or names) it has those alone; without any the rules tag it.

    raises  Mistake when the title is empty or taken, the link is none, or a tag is unknown
    """
    title, body = _title(wording.title or ""), paragraphs(wording.body or "")
    guid = guid_of_title(title)
    taken = session.exec(select(NewsItem).where(NewsItem.source == WRITTEN_HERE, NewsItem.guid == guid)).first()
    if taken:
        raise Mistake("News item {id} has this title already; change that one with `news edit`.", id=taken.id)
    item = NewsItem(
        source=WRITTEN_HERE,
        guid=guid,
        title=title,
        body=body,
        url=_link(wording.url),
        published_at=wording.published_at or now,
        fetched_at=now,
        fingerprint=ParsedItem(guid, title, body).fingerprint,
    )
    session.add(item)
    session.flush()
    if tags:
        retag_by_hand(session, item, add=tags)
        lock_tags(session, item)
    else:
        apply_rules(session, item)
    put_with_stories(session, [item])
    return item


def edit(session: Session, item: NewsItem, wording: Wording) -> None:
    """Change what the wording says, and keep it so when the source changes its own; the rules tag it anew."""
    said = {
        "title": _title(wording.title) if wording.title is not None else None,
        "body": paragraphs(wording.body) if wording.body is not None else None,
        "url": _link(wording.url),
        "published_at": wording.published_at,
    }
    changes = {field: value for field, value in said.items() if value is not None}
    for field, value in changes.items():
        setattr(item, field, value)
    lock(item, *changes)
    session.add(item)
    if changes.keys() & {"title", "body"}:
        apply_rules(session, item)


def retag_by_hand(session: Session, item: NewsItem, *, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
    """Add and remove tags by slug or name. A removed one does not come back by itself, an added one does not go.

    raises  Mistake for an unknown district or topic
    """
    for kind, slug in [find_tag(session, said) for said in add]:
        tag = _tag(session, item, kind, slug)
        tag.reason, tag.removed = BY_HAND, False
    for kind, slug in [find_tag(session, said) for said in remove]:
        _tag(session, item, kind, slug).removed = True
    session.flush()


def lock_tags(session: Session, item: NewsItem) -> None:
    """Keep the tags as they are, whatever the source or the rules come to say."""
    lock(item, TAGS)
    for tag in _tags(session, item):
        tag.locked = True


def unlock_tags(session: Session, item: NewsItem) -> None:
    """Let the rules tag the article again; what was added or removed by hand stays."""
    item.locked = ",".join(sorted(locked_fields(item) - {TAGS}))
    for tag in _tags(session, item):
        tag.locked = False
    session.flush()
    apply_rules(session, item)


def _tags(session: Session, item: NewsItem) -> Collection[NewsTag]:
    return session.exec(select(NewsTag).where(NewsTag.item_id == item.id)).all()


def _tag(session: Session, item: NewsItem, kind: TagKind, slug: str) -> NewsTag:
    tag = session.get(NewsTag, (id_of(item), kind, slug)) or NewsTag(item_id=id_of(item), kind=kind, slug=slug)
    tag.locked = TAGS in locked_fields(item)
    session.add(tag)
    return tag


def _title(said: str) -> str:
    title = one_line(said)
    if not title:
        raise Mistake("A news item needs a title.")
    return title


def _link(said: str | None) -> str | None:
    if said is None:
        return None
    link = web_address(said)
    if link is None:
        raise Mistake("{link} is not a web address: it begins with https://.", link=said)
    return link
