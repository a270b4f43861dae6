"""The news as a person or a program may see it: frozen values, tags and their reasons included."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from mailer.config.news import Source
from mailer.news.models import NewsItem, NewsTag, SourceState, TagKind
from mailer.news.parsed import without_password
from mailer.news.storing import id_of, locked_fields
from mailer.sentences import Sentence


class State(StrEnum):
    """What an edition would do with an article, age apart: only an approved one is a candidate."""

    WAITING = "waiting"
    APPROVED = "approved"
    EXPIRED = "expired"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Entry:
    """An article with its tags; `reasons` gives for each tag's slug the word that caused it, or "by hand"."""

    id: int
    title: str
    body: str
    published_at: datetime
    source: str
    url: str | None
    districts: tuple[str, ...]
    topics: tuple[str, ...]
    reasons: Mapping[str, str]
    state: State
    important: bool
    hidden: bool
    approved: bool
    expires_at: datetime | None
    language: str
    story_id: int | None
    image: str | None
    image_alt: str
    locked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which articles to list; None means any."""

    source: str | None = None
    tag: tuple[TagKind, str] | None = None
    state: State | None = None
    limit: int | None = None


ALL = Wanted()


def list_news(session: Session, wanted: Wanted = ALL, *, now: datetime) -> list[Entry]:
    """List articles, newest first; those of one moment in the order in which they came. Two queries."""
    query = select(NewsItem).order_by(col(NewsItem.published_at).desc(), col(NewsItem.id))
    if wanted.source:
        query = query.where(NewsItem.source == wanted.source)
    if wanted.tag:
        kind, slug = wanted.tag
        tagged = select(NewsTag.item_id).where(
            NewsTag.kind == kind, NewsTag.slug == slug, col(NewsTag.removed).is_(False)
        )
        query = query.where(col(NewsItem.id).in_(tagged))
    items = [item for item in session.exec(query) if wanted.state in {None, state_of(item, now)}][: wanted.limit]
    tags = _tags(session, items)
    return [_entry(item, tags[id_of(item)], now) for item in items]


def show(session: Session, item: NewsItem, *, now: datetime) -> Entry:
    """Return one article with its tags."""
    return _entry(item, _tags(session, [item])[id_of(item)], now)


def state_of(item: NewsItem, now: datetime) -> State:
    """Say what stands in the way of an article, the strongest first."""
    if item.hidden:
        return State.HIDDEN
    if item.expires_at is not None and item.expires_at <= now:
        return State.EXPIRED
    return State.APPROVED if item.approved else State.WAITING


def _tags(session: Session, items: Sequence[NewsItem]) -> defaultdict[int, list[NewsTag]]:
    found: defaultdict[int, list[NewsTag]] = defaultdict(list)
    query = select(NewsTag).where(col(NewsTag.removed).is_(False)).order_by(NewsTag.kind, NewsTag.slug)
    if len(items) == 1:  # a list of thousands reads the table once instead
        query = query.where(NewsTag.item_id == items[0].id)
    for tag in session.exec(query):
        found[tag.item_id].append(tag)
    return found


def _entry(item: NewsItem, tags: Sequence[NewsTag], now: datetime) -> Entry:
    return Entry(
        id=id_of(item),
        title=item.title,
        body=item.body,
        published_at=item.published_at,
        source=item.source,
        url=item.url,
        districts=tuple(tag.slug for tag in tags if tag.kind is TagKind.DISTRICT),
        topics=tuple(tag.slug for tag in tags if tag.kind is TagKind.TOPIC),
        reasons={tag.slug: tag.reason for tag in tags},
        state=state_of(item, now),
        important=item.important,
        hidden=item.hidden,
        approved=item.approved,
        expires_at=item.expires_at,
        language=item.language,
        story_id=item.story_id,
        image=item.image,
        image_alt=item.image_alt,
        locked=tuple(sorted(locked_fields(item))),
    )


class Health(StrEnum):
    """new: never asked yet."""

    NEW = "new"
    FINE = "fine"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """How a source is doing; `url` None for files that were imported."""

    source: str
    kind: str
    url: str | None
    state: Health
    items: int
    fetched_at: datetime | None
    broken_since: datetime | None
    error: Sentence | None


def list_sources(session: Session, sources: Mapping[str, Source]) -> list[SourceEntry]:
    """List the sources of the config, then what came otherwise (imported files, what was written here), by name."""
    states = {state.source: state for state in session.exec(select(SourceState))}
    stored = set(session.exec(select(NewsItem.source).distinct()).all())
    others = sorted((stored | set(states)) - set(sources))
    return [_source(name, sources.get(name), states.get(name)) for name in (*sources, *others)]


def _source(name: str, source: Source | None, state: SourceState | None) -> SourceEntry:
    broken = state is not None and state.broken_since is not None
    tried = state is not None and state.fetched_at is not None
    return SourceEntry(
        source=name,
        kind=source.kind if source else "import",
        url=without_password(source.url) if source else None,
        state=Health.BROKEN if broken else Health.FINE if tried or source is None else Health.NEW,
        items=state.items if state else 0,
        fetched_at=state.fetched_at if state else None,
        broken_since=state.broken_since if state else None,
        error=state.why if state else None,
    )
