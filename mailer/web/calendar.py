"""/e/NUMBER and /calendar: what takes place, for anybody to see, take into a calendar, or follow."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session, col, select
from starlette.exceptions import HTTPException

from mailer.events import feeds, wording
from mailer.events.calendar_writing import Entry, write_feed, write_one
from mailer.events.details import Details
from mailer.events.models import Event
from mailer.events.rows import details_of, id_of, many_details
from mailer.members import calendars
from mailer.render.filters import contact_link, paragraphs, web_link
from mailer.web import followed
from mailer.web.house import Here, House, language_of
from subscribers.models import District

router = APIRouter()

KEPT = "public, max-age=900"
_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)  # as of news items
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


async def event_number(number: str) -> int:
    """raises HTTPException 404 for what no event has"""
    if not _NUMBER.fullmatch(number):
        raise HTTPException(404)
    return int(number)


Number = Annotated[int, Depends(event_number)]


@router.get("/e/{number}.ics")
def event_file(number: Number, request: Request, house: Here) -> Response:
    with house.app.reading() as session:
        event = _find(session, number)
        entry = _entry(house, event, details_of(session, event))
    language = language_of(request, house)
    content = write_one(entry, calendars.publisher(house.app.settings), language)
    return _calendar(request, language, content, f"{number}.ics")


@router.get("/e/{number}")
def event_page(number: Number, request: Request, house: Here) -> HTMLResponse:
    language = language_of(request, house)
    with house.app.reading() as session:
        event = _find(session, number)
        details = details_of(session, event)
        districts = session.exec(select(District).where(col(District.slug).in_(details.districts))).all()
        return house.pages.answer(
            "event.html",
            language,
            headers={"X-Robots-Tag": "all", "Vary": "Accept-Language"},
            **shown(event, details, language),
            districts=[(district.slug, district.name) for district in districts],
            over=event.ends_at <= house.app.now(),
            follow=_follow(house, [district.slug for district in districts]),
        )


@router.get("/calendar.ics")
def whole_calendar(request: Request, house: Here) -> Response:
    with house.app.reading() as session:
        return _feed(request, house, session, feeds.of_everybody(session, house.app.now()))


@router.get("/calendar/{slug}.ics")
def district_calendar(slug: str, request: Request, house: Here) -> Response:
    if not _SLUG.fullmatch(slug):
        raise HTTPException(404)
    with house.app.reading() as session:
        district = session.exec(select(District).where(District.slug == slug)).first()
        if district is None:
            raise HTTPException(404)
        return _feed(request, house, session, feeds.of_district(session, slug, house.app.now()), district.name)


def shown(event: Event, details: Details, language: str) -> dict[str, Any]:
    """Return what a page about an event says of it. No link of it leads to anything but the web or a mail."""
    return {
        "number": id_of(event),
        "event": details,
        "state": event.state.value,
        "when": wording.when(details, language),
        "route": [(wording.step_hour(step, details, language), step) for step in details.route],
        "shifts": [(shift, wording.shift_when(shift, details.zone, language)) for shift in details.shifts],
        "text": paragraphs(details.text),
        "map_link": web_link(details.map_url),
        "more_link": web_link(details.url),
        "contact_link": contact_link(details.contact) if details.contact else None,
    }


def _find(session: Session, number: int) -> Event:
    event = session.get(Event, number)
    if event is None:
        raise HTTPException(404)
    return event


def _follow(house: House, slugs: list[str]) -> str:
    """Return the address that a calendar program follows: of the event's district, or of all where it has not one."""
    calendar = house.app.links.calendar(slugs[0] if len(slugs) == 1 else None)
    return re.sub(r"^https?://", "webcal://", calendar)


def _feed(request: Request, house: House, session: Session, events: list[Event], of: str = "") -> Response:
    details, language = many_details(session, events), language_of(request, house)
    entries = [_entry(house, event, details[id_of(event)]) for event in events]
    name = " · ".join(filter(None, (house.app.settings.site.organisation, of)))
    content = write_feed(entries, calendars.publisher(house.app.settings), language, name=name)
    return _calendar(request, language, content, "calendar.ics")


def _entry(house: House, event: Event, details: Details) -> Entry:
    return calendars.entry_of(event, details, house.app.links.event(id_of(event)))


def _calendar(request: Request, language: str, content: bytes, name: str) -> Response:
    headers = {
        "Cache-Control": KEPT,
        "Vary": "Accept-Language",
        "Content-Language": language,
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return followed.answer(request, content, "text/calendar; charset=utf-8", headers)
