"""What a letter names is looked up: events, news, pictures. What is not there is a mistake with its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.markup import Json
from mailer.campaigns.written import Written
from mailer.config import Settings
from mailer.errors import Mistake
from mailer.events import book, wording
from mailer.events.details import EventState
from mailer.events.models import Event
from mailer.events.rows import details_of, id_of
from mailer.links import Links
from mailer.news.fetching import Web
from mailer.news.images import fetch_image, store_image
from mailer.news.models import IMAGES, NewsItem
from mailer.news.parsed import StoredImage
from mailer.news.teasers import teaser

MOST_NEWS = 20  # in one block
_TOO_LARGE = 8 * 1024 * 1024

Pictures = Mapping[str, Json]  # as written -> {"picture": its name under its hash, "width", "height"}


@dataclass(frozen=True, slots=True)
class Found:
    """Looks things up as of `at`, when the letter goes."""

    session: Session
    settings: Settings
    links: Links
    pictures: Pictures
    at: datetime

    def event(self, which: str, language: str, at: Place) -> Json:
        """raises WrongText for an event that is not there, is called off, or is over when the letter goes"""
        event = _event(self.session, which, at)
        if event.state is EventState.CANCELLED:
            raise WrongText("The event {event} is called off.", at=at, event=event.key)
        if event.ends_at <= self.at:
            raise WrongText("The event {event} is over when the letter goes.", at=at, event=event.key)
        details = details_of(self.session, event)
        return {
            "told": [id_of(event), event.sequence],
            "title": details.title,
            "when": wording.when(details, language),
            "changed": event.state is EventState.CHANGED,
            "place": details.place,
            "meeting_point": details.meeting_point,
            "access": details.access,
            "url": self.links.event(id_of(event)),
        }

    def news(self, which: str, language: str, at: Place) -> Json:
        """raises WrongText for an item that is not there or not approved"""
        del language  # each item is in its own
        numbers = which.replace(",", " ").split()
        if not 1 <= len(numbers) <= MOST_NEWS:
            raise WrongText("Name the news by their numbers, as ::: news 12 15.", at=at)
        return {"items": [self._item(number, at) for number in numbers]}

    def picture(self, source: str, at: Place) -> Json:
        if source not in self.pictures:
            raise WrongText("The picture {picture} was not copied: bring the letter in again.", at=at, picture=source)
        return self.pictures[source]

    def _item(self, said: str, at: Place) -> Json:
        number = int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0  # noqa: PLR2004  # a column's 32 bits
        row = self.session.exec(
            select(NewsItem).where(NewsItem.id == number, col(NewsItem.approved), ~col(NewsItem.hidden))
        ).first()
        if row is None:
            raise WrongText("There is no approved news item {item}: `utskick news list` shows them.", at=at, item=said)
        host = urlsplit(row.url).hostname if row.url else None
        return {
            "title": row.title,
            "language": row.language,
            "teaser": teaser([part.strip() for part in row.body.split("\n\n") if part.strip()]),
            "url": row.url or self.links.news_item(number),
            "source_name": host.removeprefix("www.") if host else self.settings.site.organisation,
            "published": row.published_at.astimezone(self.settings.site.zone).date().isoformat(),
        }


def event_of(session: Session, written: Written) -> Event | None:
    """Return the event that a letter is about. raises WrongText"""
    front = written.front
    return _event(session, front.event, written.at("event")) if front.event else None


def ours(settings: Settings, publication: str) -> dict[str, dict[str, str]]:
    """Return the values of ours that a text may put in, by language."""
    site = settings.site
    return {
        language: {"organisation": site.organisation, "publication": settings.name_of(publication, language)}
        for language in ("sv", "en")
    }


def copy_picture(source: str, at: Place, *, beside: Path, web: Web, data: Path) -> Json:
    """Copy a picture from a file (relative to `beside`) or from the web to where ours lie, under its hash.

    raises  WrongText when it cannot be had or is no picture
    """
    if source.startswith(("https://", "http://")):
        stored = fetch_image(web, source, data)
    else:
        stored = _from_file(source, at, beside / source, data)
    if stored is None:
        raise WrongText(
            "{picture} is no picture that can be shown: take JPEG, PNG, WebP or GIF, of 40 pixels to 8 MB.",
            at=at,
            picture=source[:200] or "-",
        )
    return {"picture": stored.name, "width": stored.width, "height": stored.height}


def _from_file(source: str, at: Place, path: Path, data: Path) -> StoredImage | None:
    try:
        content = path.read_bytes() if path.stat().st_size <= _TOO_LARGE else b""
    except (OSError, ValueError):
        raise WrongText("There is no file {picture} beside the letter.", at=at, picture=source[:200] or "-") from None
    return store_image(content, data / IMAGES)


def pictures_of(stored: str) -> Pictures:
    found: Pictures = json.loads(stored)
    return found


def _event(session: Session, which: str, at: Place) -> Event:
    try:
        return book.find_event(session, which.strip())
    except Mistake as error:
        raise WrongText(error.sentence, at=at, **error.values) from None
