"""Sources: fetch each by itself, so that a broken one stops no other, and remember how each is doing.

The network is asked between transactions, never inside one: remember -> ask -> keep.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from sqlmodel import Session, col, select

from mailer import config
from mailer.errors import Mistake, UtskickError
from mailer.news.feeds import parse_feed
from mailer.news.fetching import NOTHING_SAID, Answer, Validators, Web
from mailer.news.images import fetch_image
from mailer.news.jsonfeed import looks_like_json, parse_json_feed
from mailer.news.lists import parse_list
from mailer.news.models import SourceState
from mailer.news.pages import parse_page
from mailer.news.parsed import BrokenSource, ParsedItem
from mailer.news.storing import Memory, ReadyItem, Stored, Terms, remember, store
from mailer.news.tagging import tags_of, tags_of_source

MOST_PICTURES = 50  # new ones of a source at a time: a thousand slow ones would hold up all other news for hours

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What reading a source needs beside the source: the web, where pictures go, and our time zone."""

    web: Web
    data: Path
    zone: tzinfo


@contextmanager
def open_tools(settings: config.Settings, data: Path) -> Iterator[Tools]:
    """Open what reading sources needs, and close its connections afterwards."""
    web = Web(allow_hosts=settings.news.allow_hosts)
    try:
        yield Tools(web, data, settings.site.zone)
    finally:
        web.close()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking a source. `items` None: nothing changed; `error`: why there is nothing."""

    items: tuple[ReadyItem, ...] | None = None
    validators: Validators = NOTHING_SAID
    error: UtskickError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one source: `stored` None when nothing changed or `error` says why not."""

    source: str
    stored: Stored | None
    error: UtskickError | None


def parse(answer: Answer, source: config.Source, zone: tzinfo) -> list[ParsedItem]:
    """Read what a source answered, by its kind. raises BrokenSource"""
    content = answer.content or b""
    if source.kind == "list":
        return parse_list(content, answer.charset)
    if source.kind == "page":
        if source.select is None:
            raise BrokenSource("A source of kind page needs its CSS selectors: select = { item = ..., title = ... }.")
        return parse_page(content, source.select, zone=zone, charset=answer.charset, base=answer.url)
    if looks_like_json(content):
        return parse_json_feed(content, zone=zone, base=answer.url)
    return parse_feed(content, charset=answer.charset, base=answer.url)


def prepare(items: Sequence[ParsedItem], fingerprints: Mapping[str, str], tools: Tools) -> tuple[ReadyItem, ...]:
    """Find the tags, and copy the pictures of what is new or changed; the rest needs neither."""
    fresh = [item for item in items if fingerprints.get(item.guid) != item.fingerprint]
    illustrated = [item for item in fresh if item.image_url][:MOST_PICTURES]
    pictures = {item: fetch_image(tools.web, item.image_url or "", tools.data) for item in illustrated}
    ready = {item: ReadyItem(item, tags_of(item.title, item.body), pictures.get(item)) for item in fresh}
    return tuple(ready.get(item) or ReadyItem(item, ()) for item in items)


def ask(source: config.Source, memory: Memory, tools: Tools) -> Fetched:
    """Ask a source and read its answer. Touches no database; a failure is a value, not an exception."""
    try:
        answer = tools.web.fetch(source.url, memory.validators)
        if answer.content is None:
            return Fetched(validators=answer.validators)
        items = parse(answer, source, tools.zone)
    except UtskickError as error:
        return Fetched(error=error)
    except Exception as error:  # noqa: BLE001  # whatever a hostile answer breaks in a parser, the other sources go on
        return Fetched(error=BrokenSource("The answer breaks our reader ({reason}).", reason=type(error).__name__))
    return Fetched(prepare(items, memory.fingerprints, tools), answer.validators)


def keep(session: Session, name: str, source: config.Source, fetched: Fetched, now: datetime) -> Report:
    """Store what a source gave, and how it is doing."""
    state = session.get(SourceState, name) or SourceState(source=name)
    session.add(state)
    state.fetched_at = now
    if fetched.error:
        state.broken_since = state.broken_since or now
        state.error = str(fetched.error)
        return Report(name, None, fetched.error)
    state.broken_since = state.error = None
    state.etag, state.last_modified = fetched.validators.etag, fetched.validators.last_modified
    if fetched.items is None:
        return Report(name, None, None)
    state.items = len(fetched.items)
    source_tags = tags_of_source(name, source.districts, source.topics)
    terms = Terms(name, published_at=now, approved=source.approved, source_tags=source_tags)
    return Report(name, store(session, fetched.items, terms, now=now), None)


def claim_due(session: Session, settings: config.Settings, now: datetime) -> list[str]:
    """Name the sources whose turn it is, and note that they were asked, so that two clocks do not both ask."""
    names = list(settings.sources)
    states = {s.source: s for s in session.exec(select(SourceState).where(col(SourceState.source).in_(names)))}
    latest = now - settings.news.fetch_every
    due = [name for name in names if (at := _asked_at(states.get(name))) is None or at <= latest]
    for name in due:
        state = states.get(name) or SourceState(source=name)
        state.fetched_at = now
        session.add(state)
    return due


def _asked_at(state: SourceState | None) -> datetime | None:
    return state.fetched_at if state else None


def fetch(
    names: Sequence[str], settings: config.Settings, tools: Tools, writing: Transaction, *, now: datetime
) -> list[Report]:
    """Fetch the named sources, one after the other, each in transactions of its own.

    raises  Mistake for a source that the config does not have
    """
    unknown = [name for name in names if name not in settings.sources]
    if unknown:
        raise Mistake("There is no source {source} in the config.", source=unknown[0])
    reports = []
    for name in names:
        source = settings.sources[name]
        with writing() as session:
            memory = remember(session, name)
        fetched = ask(source, memory, tools)
        with writing() as session:
            reports.append(keep(session, name, source, fetched, now))
    return reports
