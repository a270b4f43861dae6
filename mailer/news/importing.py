"""One file or address, brought in by hand: `utskick news import`."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlmodel import Session

from mailer import config
from mailer.config.news import Source
from mailer.errors import Mistake
from mailer.news.fetching import MAX_BYTES, NOTHING_SAID, Answer, Web
from mailer.news.jsonfeed import looks_like_json
from mailer.news.models import SourceState
from mailer.news.parsed import BrokenSource
from mailer.news.sources import Tools, Transaction, illustrate, task_of
from mailer.news.storing import ReadyItem, Stored, Terms, remember, store
from mailer.news.tagging import tags_of_source
from mailer.sentences import Sentence

_FEED = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)


def read(place: str, web: Web) -> Answer:
    """Read a file, or fetch an http(s) address.

    raises  Mistake when there is no such file or it is too large, BrokenSource when the address gives nothing
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", place, re.IGNORECASE):
        return web.fetch(place)
    path = Path(place)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Mistake("{file} is larger than {limit} bytes.", file=place, limit=MAX_BYTES)
        return Answer(url="", content=path.read_bytes(), charset=None, validators=NOTHING_SAID)
    except FileNotFoundError:
        raise Mistake("There is no file {file}.", file=place) from None
    except OSError as error:
        raise Mistake("{file} cannot be read: {reason}.", file=place, reason=error.strerror or error) from None


def name_for(place: str) -> str:
    """Make a source slug of a file's name or an address's host: "Nyheter 2024.txt" gives "nyheter-2024"."""
    name = urlsplit(place).hostname if "://" in place else Path(place).stem
    ascii_name = unicodedata.normalize("NFKD", name or "").encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:64].strip("-") or "import"


def source_for(name: str, place: str, answer: Answer, settings: config.Settings) -> Source:
    """Return the config's source of this name, else one whose kind is told by the content.

    raises  Mistake for an HTML page that no source of the config describes
    """
    if name in settings.sources:
        return settings.sources[name]
    content = answer.content or b""
    if looks_like_json(content) or _FEED.search(content[:4096]):
        return Source(url=place, kind="feed")
    if _PAGE.search(content[:4096]):
        raise Mistake(
            '{place} is an HTML page: describe it in the config as [sources.{name}] with kind = "page" and its'
            " CSS selectors, and name it with --source {name}.",
            place=place,
            name=name,
        )
    return Source(url=place, kind="list")


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks to bring in. `published_at` is for articles that do not say; None: now."""

    place: str
    source: str
    published_at: datetime | None = None


def bring_in(order: Order, settings: config.Settings, tools: Tools, writing: Transaction, *, now: datetime) -> Stored:
    """Read a file or an address, and store its articles. raises Mistake, BrokenSource"""
    answer = read(order.place, tools.web)
    described = source_for(order.source, order.place, answer, settings)
    with writing() as session:
        fingerprints = remember(session, order.source).fingerprints
    try:
        readings = tools.read(task_of(answer, described, tools, fingerprints))
    except BrokenSource as error:
        why = Sentence(error.sentence, error.values)
        raise BrokenSource("{place}: {why}", place=order.place, why=why) from None
    ready_items = illustrate(readings, tools)
    with writing() as session:
        return _keep(session, order, described, ready_items, now)


def _keep(session: Session, order: Order, source: Source, ready_items: Sequence[ReadyItem], now: datetime) -> Stored:
    tags = tags_of_source(order.source, source.districts, source.topics)
    terms = Terms(order.source, published_at=order.published_at or now, approved=source.approved, source_tags=tags)
    stored = store(session, ready_items, terms, now=now)
    state = session.get(SourceState, order.source) or SourceState(source=order.source)
    state.fetched_at, state.items = now, len(ready_items)
    state.works()
    session.add(state)
    return stored
