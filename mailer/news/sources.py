"""Sources: fetch each by itself, so that a broken one stops no other, and remember how each is doing.

The network is asked between transactions, never inside one: remember -> ask -> keep.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from mailer import config
from mailer.config.news import Source
from mailer.errors import Mistake, UtskickError
from mailer.news.apart import Read, read_apart
from mailer.news.fetching import NOTHING_SAID, Answer, Web
from mailer.news.images import fetch_image
from mailer.news.models import SourceState
from mailer.news.parsed import Validators
from mailer.news.reading import Reading, Task
from mailer.news.storing import Memory, ReadyItem, Stored, Terms, remember, store
from mailer.news.tagging import tags_of_source
from mailer.sentences import Sentence

MOST_PICTURES = 50  # new ones of a source at a time: a thousand slow ones would hold up all other news for hours

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What reading a source needs beside the source: the web, where pictures go, our time zone, and who reads."""

    web: Web
    data: Path
    zone: ZoneInfo
    read: Read = read_apart


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


def task_of(answer: Answer, source: Source, tools: Tools, known: Mapping[str, str]) -> Task:
    """Say what there is to read. `known`: fingerprint by guid"""
    return Task(
        content=answer.content or b"",
        kind=source.kind,
        zone=str(tools.zone),
        charset=answer.charset,
        base=answer.url,
        select=source.select,
        known=known,
    )


def illustrate(readings: Sequence[Reading], tools: Tools) -> tuple[ReadyItem, ...]:
    """Copy the pictures of what is new or changed."""
    illustrated = [it.item for it in readings if it.fresh and it.item.image_url][:MOST_PICTURES]
    pictures = {item: fetch_image(tools.web, item.image_url or "", tools.data) for item in illustrated}
    return tuple(ReadyItem(it.item, it.tags, pictures.get(it.item)) for it in readings)


def ask(source: Source, memory: Memory, tools: Tools) -> Fetched:
    """Ask a source and read its answer. Touches no database; a failure is a value, not an exception."""
    try:
        answer = tools.web.fetch(source.url, memory.validators)
        if answer.content is None:
            return Fetched(validators=answer.validators)
        readings = tools.read(task_of(answer, source, tools, memory.fingerprints))
    except UtskickError as error:
        return Fetched(error=error)
    return Fetched(illustrate(readings, tools), answer.validators)


def keep(session: Session, name: str, source: Source, fetched: Fetched, now: datetime) -> Report:
    """Store what a source gave, and how it is doing."""
    state = session.get(SourceState, name) or SourceState(source=name)
    session.add(state)
    state.fetched_at = now
    if fetched.error:
        state.breaks(Sentence(fetched.error.sentence, fetched.error.values), now)
        return Report(name, None, fetched.error)
    state.works()
    state.etag, state.last_modified = fetched.validators.etag, fetched.validators.last_modified
    if fetched.items is None:
        return Report(name, None, None)
    state.items = len(fetched.items)
    source_tags = tags_of_source(name, source.districts, source.topics)
    terms = Terms(name, published_at=now, approved=source.approved, source_tags=source_tags)
    return Report(name, store(session, fetched.items, terms, now=now), None)


def due(session: Session, settings: config.Settings, now: datetime) -> list[str]:
    """Name the sources whose turn it is."""
    names = list(settings.sources)
    states = {s.source: s for s in session.exec(select(SourceState).where(col(SourceState.source).in_(names)))}
    return [name for name in names if _is_due(states.get(name), settings, now)]


def claim(session: Session, settings: config.Settings, name: str, now: datetime) -> bool:
    """Note that a source is asked now, if it is its turn still: so two who would ask do not both do so."""
    state = session.get(SourceState, name)
    if name not in settings.sources or not _is_due(state, settings, now):
        return False
    state = state or SourceState(source=name)
    state.fetched_at = now
    session.add(state)
    return True


def _is_due(state: SourceState | None, settings: config.Settings, now: datetime) -> bool:
    return state is None or state.fetched_at is None or state.fetched_at <= now - settings.news.fetch_every


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
