"""The archive: earlier letters by publication and district, with a feed. For anybody, or behind a link by mail.

/archive/...    what config says is public; of the rest a form that asks for a link
/l/TOKEN/...    everything, for whoever got that link. A feed reader has it too, so it is good for a year
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session, col, select
from starlette.exceptions import HTTPException

from mailer.links import Claim, Purpose, hour_of
from mailer.outbox import archive
from mailer.outbox.archive import Entry, Place
from mailer.outbox.manifest import contents, occasion
from mailer.web import followed
from mailer.web.archive_link import asking_page
from mailer.web.house import Here, House, claim_of, language_of
from mailer.web.viewing import letter_page
from subscribers.models import District, Member
from subscribers.states import State

GOOD_FOR = 366 * 24  # hours
MOST = 300  # on one page: nearly six years of a weekly
IN_FEED = 30
TOO_OLD = 410
_ISSUE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9-]{0,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Room:
    """Where somebody reads: `path` is /archive, or /l/TOKEN behind a link that was mailed to a member."""

    path: str
    member: bool


async def _open_room(request: Request) -> None:
    request.state.room = Room("/archive", member=False)


def _members_room(
    token: str, claim: Annotated[Claim, Depends(claim_of(Purpose.ARCHIVE))], house: Here, request: Request
) -> None:
    """raises HTTPException 404 for nobody's link, 410 when it is too old or its member gets no letters any more"""
    with house.app.reading() as session:
        state = session.exec(select(Member.state).where(Member.id == claim.member)).first()
    if state is None:
        raise HTTPException(404)
    if state is not State.ACTIVE or not 0 <= hour_of(house.app.now()) - claim.mailing <= GOOD_FOR:
        raise HTTPException(TOO_OLD)
    request.state.room = Room(f"/l/{token}", member=True)


def _room(request: Request) -> Room:
    room: Room = request.state.room
    return room


Inside = Annotated[Room, Depends(_room)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Before which shelf somebody stands. `may`: whether they are shown what is there."""

    room: Room
    publication: str
    district: str
    public: bool

    @property
    def may(self) -> bool:
        return self.public or self.room.member

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Robots-Tag": "all"} if self.public and not self.room.member else {}

    def path(self, *below: str, **asked: str) -> str:
        query = urlencode(({"district": self.district} if self.district else {}) | asked)
        return "/".join((self.room.path, self.publication, *below)) + (f"?{query}" if query else "")

    def place(self, language: str) -> Place:
        return Place(self.publication, self.district, language)


def _shelf(publication: str, room: Inside, house: Here, district: str = "") -> Shelf:
    """raises HTTPException 404 for what has no archive, and for a district that there is none of"""
    if publication not in house.app.settings.archives or not _SLUG.fullmatch(district):
        raise HTTPException(404)
    return Shelf(room, publication, district, house.app.settings.publications[publication].archive == "public")


Before = Annotated[Shelf, Depends(_shelf)]


def front(room: Inside, house: Here, request: Request) -> HTMLResponse:
    settings, language = house.app.settings, language_of(request, house)
    shelves = [_shelf(slug, room, house) for slug in settings.archives]
    headers = {"X-Robots-Tag": "all"} if any(shelf.headers for shelf in shelves) else {}
    named = [(shelf, house.name_of(shelf.publication, language)) for shelf in shelves]
    return house.pages.answer("archives.html", language, headers=headers, shelves=named)


def issues(shelf: Before, house: Here, request: Request) -> HTMLResponse:
    language = language_of(request, house)
    if not shelf.may:
        return asking_page(house, shelf.publication, language)
    with house.app.reading() as session:
        districts = _districts(session, shelf)
        entries = archive.entries(session, shelf.place(language), most=MOST)
    return house.pages.answer(
        "archive.html",
        language,
        headers=shelf.headers,
        shelf=shelf,
        name=house.name_of(shelf.publication, language),
        districts=districts,
        years=_by_year(house, entries),
    )


def feed(shelf: Before, house: Here, request: Request, language: str = "") -> Response:
    """Answer with Atom, RFC 4287. Its ids tell of no address of ours and of no reader, so they stay when those change.

    raises  HTTPException 404 when it is for members only: their own address of it stands behind their link
    """
    if not shelf.may:
        raise HTTPException(404)
    language = house.spoken(language)
    with house.app.reading() as session:
        entries = archive.entries(session, shelf.place(language), most=IN_FEED)
        districts = _districts(session, shelf)
    atom = house.pages.written(
        "feed.atom",
        language,
        shelf=shelf,
        name=house.name_of(shelf.publication, language),
        district=districts.get(shelf.district, ""),
        list_id=house.app.settings.publications[shelf.publication].list_id,
        entries=entries,
    ).encode()
    headers = shelf.headers | {"Cache-Control": "private, max-age=600", "Content-Language": language}
    return followed.answer(request, atom, "application/atom+xml", headers)


def issue(shelf: Before, issue: str, house: Here, request: Request) -> HTMLResponse:
    language = language_of(request, house)
    if not _ISSUE.fullmatch(issue):
        raise HTTPException(404)
    if not shelf.may:
        return asking_page(house, shelf.publication, language)
    with house.app.reading() as session:
        entry = archive.find(session, shelf.place(language), issue)
        if entry is None:
            raise HTTPException(404)
        connection = session.connection()
        letter, content = occasion(connection, entry.mailing), contents(connection, [entry.variant])[entry.variant]
    page = house.app.composer.page(letter, content, house.app.links.base_url + shelf.path())
    return letter_page(page, content.language, shelf.headers)


open_router = APIRouter(prefix="/archive", dependencies=[Depends(_open_room)])
members_router = APIRouter(prefix="/l/{token}", dependencies=[Depends(_members_room)])
for _router in (open_router, members_router):
    _router.get("")(front)
    _router.get("/{publication}")(issues)
    _router.get("/{publication}/feed.atom")(feed)
    _router.get("/{publication}/{issue}")(issue)


def _districts(session: Session, shelf: Shelf) -> dict[str, str]:
    """Return the names of the districts that the publication has something for, by slug."""
    slugs = archive.districts(session, shelf.publication)
    rows = session.exec(select(District.slug, District.name).order_by(col(District.name)))
    found = {slug: name for slug, name in rows if slug in slugs or slug == shelf.district}
    if shelf.district and shelf.district not in found:
        raise HTTPException(404)
    return found


def _by_year(house: House, entries: Sequence[Entry]) -> dict[int, list[Entry]]:
    years: dict[int, list[Entry]] = {}
    for entry in entries:
        years.setdefault(entry.sent_at.astimezone(house.app.settings.site.zone).year, []).append(entry)
    return years
