"""What a source answered, read by its kind and tagged. Pure; `apart` runs it where a hostile answer does no harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from mailer.config.news import PageSelectors
from mailer.news.feeds import parse_feed
from mailer.news.jsonfeed import looks_like_json, parse_json_feed
from mailer.news.lists import parse_list
from mailer.news.pages import parse_page
from mailer.news.parsed import BrokenSource, ParsedItem
from mailer.news.tagging import tags_of
from mailer.news.tags import Tag


@dataclass(frozen=True, slots=True)
class Task:
    """An answer and what is needed to read it.

    kind     feed, page or list; `select` is for pages
    charset  what the sender said; base: the address that relative links start from
    zone     IANA name, for moments without an offset
    known    fingerprint by guid: what did not change since is not tagged again
    """

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")  # it travels as JSON

    content: bytes
    kind: str
    zone: str
    charset: str | None = None
    base: str = ""
    select: PageSelectors | None = None
    known: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """An article with the tags that its words cause; `fresh` when it is new or was changed, else it has no tags."""

    item: ParsedItem
    tags: tuple[Tag, ...]
    fresh: bool


def read(task: Task) -> list[Reading]:
    """Read and tag the articles of an answer, in its order. raises BrokenSource"""
    known = task.known or {}
    return [_tagged(item, fresh=known.get(item.guid) != item.fingerprint) for item in _parse(task)]


def _tagged(item: ParsedItem, *, fresh: bool) -> Reading:
    return Reading(item, tags_of(item.title, item.body) if fresh else (), fresh)


def _parse(task: Task) -> Sequence[ParsedItem]:
    zone = ZoneInfo(task.zone)
    if task.kind == "list":
        return parse_list(task.content, task.charset)
    if task.kind == "page":
        if task.select is None:
            raise BrokenSource("A source of kind page needs its CSS selectors: select = { item = ..., title = ... }.")
        return parse_page(task.content, task.select, zone=zone, charset=task.charset, base=task.base)
    if looks_like_json(task.content):
        return parse_json_feed(task.content, zone=zone, base=task.base)
    return parse_feed(task.content, charset=task.charset, base=task.base)
