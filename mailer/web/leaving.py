"""/u/TOKEN: leave, or get less. Opening the page changes nothing; mail scanners fetch every link (RFC 8058 §1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from mailer import leaving
from mailer.i18n import translations
from mailer.links import Claim, Purpose
from mailer.web.forms import Fields, Posted
from mailer.web.house import Here, House, claim_of
from mailer.web.standing import Standing, find_standing
from subscribers import consent, preferences
from subscribers.models import Cadence, Member

router = APIRouter()

BY_HAND = "link"  # what the evidence of consent names as its source
EVENTS_WORDING = "events-1"  # likewise of the button for events alone
UNDO_WORDING = "undo-1"  # version of the undo button's words: count up when they change
PAUSE_AT_MOST = timedelta(days=366)


Asking = Annotated[Claim, Depends(claim_of(Purpose.UNSUBSCRIBE))]


class Remark(StrEnum):
    """What the page says above the buttons; nothing at first."""

    NONE = ""
    LEFT = "left"
    LEFT_EVERYTHING = "left everything"
    MONTHLY = "monthly"
    WEEKLY = "weekly"
    EVENTS = "events"
    PAUSED = "paused"
    RESUMED = "resumed"
    UNDONE = "undone"
    STALE = "stale"
    BAD_DATE = "bad date"


@dataclass(frozen=True, slots=True)
class Days:
    """What the calendar of the pause offers."""

    first: date
    proposed: date
    last: date


@dataclass(frozen=True, slots=True)
class Asked:
    """A button that somebody pressed: where they stood, the date they gave, and what day it is for them.

    events  the publication that holds events alone, None when there is none
    """

    standing: Standing
    until: str
    now: datetime
    today: date
    events: str | None


@router.get("/u/{token}")
def ask(claim: Asking, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        standing = find_standing(session, claim, house.app.now())
    return _page(house, claim, standing, Remark.NONE)


@router.post("/u/{token}")
async def leave(claim: Asking, house: Here, fields: Posted) -> Response:
    """Serve the mail program's one-click POST (RFC 8058 §3.2) and the buttons of the page."""
    if fields.is_one_click:
        return await _one_click(house, claim)
    return await run_in_threadpool(_by_hand, house, claim, fields)


async def _one_click(house: House, claim: Claim) -> Response:
    """Leave for everyone the mail greeted. mailer.web.one_click answers most of these before they come here."""
    language = await house.leaving.ask(claim, partial(leave_together, house))
    if language is None:
        raise HTTPException(404)  # as for a token that was made up
    return left_by_one_click(language)


def left_by_one_click(language: str) -> PlainTextResponse:
    """Return the answer: the same however often it comes, and never a redirect."""
    return PlainTextResponse(translations(language).gettext("You are unsubscribed.") + "\n")


def leave_together(house: House, claims: Sequence[Claim]) -> list[str | None]:
    """Leave for all of `claims` in one transaction. Returns the language of each one's member, None for nobody."""
    with house.writing() as session:
        asked = select(Member.id, Member.language).where(col(Member.id).in_({claim.member for claim in claims}))
        languages = dict(session.exec(asked).all())
        leaving.withdraw_all(
            session,
            [claim for claim in claims if claim.member in languages],
            source=leaving.ONE_CLICK,
            now=house.app.now(),
        )
    return [languages.get(claim.member) for claim in claims]


def _by_hand(house: House, claim: Claim, fields: Fields) -> HTMLResponse:
    now = house.app.now()
    with house.writing() as session:
        standing = find_standing(session, claim, now)
        if house.came_from_our_page(fields, claim.member):
            asked = Asked(standing, fields.one("until"), now, house.today(), house.app.settings.events_only)
            remark = CHOICES.get(fields.one("choice"), _nothing)(session, asked)
            standing = find_standing(session, claim, now)
        else:
            remark = Remark.STALE
    return _page(house, claim, standing, remark)


def _nothing(_session: Session, _asked: Asked) -> Remark:
    return Remark.NONE


def _leave_this(session: Session, asked: Asked) -> Remark:
    return _withdraw(session, asked, asked.standing.publication, Remark.LEFT)


def _leave_everything(session: Session, asked: Asked) -> Remark:
    return _withdraw(session, asked, None, Remark.LEFT_EVERYTHING)


def _withdraw(session: Session, asked: Asked, publication: str | None, remark: Remark) -> Remark:
    consent.withdraw(session, asked.standing.member_id, publication=publication, source=BY_HAND, now=asked.now)
    return remark


def _monthly(session: Session, asked: Asked) -> Remark:
    return _change_cadence(session, asked, Cadence.MONTHLY, Remark.MONTHLY)


def _weekly(session: Session, asked: Asked) -> Remark:
    return _change_cadence(session, asked, Cadence.WEEKLY, Remark.WEEKLY)


def _events_only(session: Session, asked: Asked) -> Remark:
    """Give the publication of events instead of this one: the leaving comes last, so that it can be undone."""
    standing = asked.standing
    if standing.here is None or asked.events in (None, standing.publication):
        return Remark.NONE
    if asked.events not in standing.taken:
        consent.give(
            session,
            standing.member_id,
            publication=asked.events,
            source=BY_HAND,
            wording=EVENTS_WORDING,
            now=asked.now,
        )
    return _withdraw(session, asked, standing.publication, Remark.EVENTS)


def _change_cadence(session: Session, asked: Asked, cadence: Cadence, remark: Remark) -> Remark:
    standing = asked.standing
    before = preferences.read(session, standing.member_id)
    if before is None or standing.publication is None or standing.here is None:
        return Remark.NONE
    new = replace(before, cadence={**before.cadence, standing.publication: cadence})
    preferences.change(session, standing.member_id, new, source=BY_HAND, now=asked.now)
    return remark


def _pause(session: Session, asked: Asked) -> Remark:
    until = _pause_end(asked.until, asked.today)
    if until is None:
        return Remark.BAD_DATE
    return _set_pause(session, asked.standing, until, Remark.PAUSED)


def _resume(session: Session, asked: Asked) -> Remark:
    return _set_pause(session, asked.standing, None, Remark.RESUMED)


def _set_pause(session: Session, standing: Standing, until: date | None, remark: Remark) -> Remark:
    if standing.publication is None or standing.here is None:
        return Remark.NONE
    preferences.pause(session, standing.member_id, standing.publication, until)
    return remark


def _pause_end(text: str, today: date) -> date | None:
    """Read an ISO date after today and within PAUSE_AT_MOST; None for anything else."""
    try:
        until = date.fromisoformat(text)
    except ValueError:
        return None
    return until if today < until <= today + PAUSE_AT_MOST else None


def _undo(session: Session, asked: Asked) -> Remark:
    """Take back the last leaving, within a day of it; once taken back there is nothing left to undo."""
    leaving = asked.standing.leaving
    if leaving is None:
        return Remark.NONE
    events = asked.standing.taken.get(asked.events or "")
    if leaving.publication not in (None, asked.events) and events is not None and events.since == leaving.at:
        _withdraw(session, asked, asked.events, Remark.NONE)  # it was given in exchange
    consent.give(
        session,
        asked.standing.member_id,
        publication=leaving.publication,
        source=BY_HAND,
        wording=UNDO_WORDING,
        now=asked.now,
    )
    return Remark.UNDONE


CHOICES: dict[str, Callable[[Session, Asked], Remark]] = {  # a button of the page is one more line
    "leave": _leave_this,
    "leave-everything": _leave_everything,
    "monthly": _monthly,
    "weekly": _weekly,
    "events": _events_only,
    "pause": _pause,
    "resume": _resume,
    "undo": _undo,
}
TAKEN_BACK_BY = {
    Remark.LEFT: "undo",
    Remark.LEFT_EVERYTHING: "undo",
    Remark.MONTHLY: "weekly",
    Remark.WEEKLY: "monthly",
    Remark.EVENTS: "undo",
    Remark.PAUSED: "resume",
}
ASKING = frozenset({Remark.NONE, Remark.STALE, Remark.BAD_DATE})  # the others tell what was done


def _page(house: House, claim: Claim, standing: Standing, remark: Remark) -> HTMLResponse:
    today, here, events = house.today(), standing.here, house.app.settings.events_only
    return house.pages.answer(
        "leave.html" if remark in ASKING else "left.html",
        standing.language,
        status=400 if remark in (Remark.STALE, Remark.BAD_DATE) else 200,
        remark=remark,
        standing=standing,
        name=house.name_of(standing.publication, standing.language) if standing.publication else None,
        others=[house.name_of(slug, standing.language) for slug in standing.taken if slug != standing.publication],
        monthly=here is not None and here.cadence is Cadence.MONTHLY,
        paused_until=here.paused_until if here and here.paused_until and here.paused_until > today else None,
        events=house.name_of(events, standing.language) if events and events != standing.publication else None,
        undo=TAKEN_BACK_BY.get(remark),
        nonce=house.nonce_for(claim.member),
        choose=house.app.links.tokens.make(Purpose.PREFERENCES, claim.member, claim.mailing),
        days=Days(today + timedelta(days=1), today + timedelta(days=30), today + PAUSE_AT_MOST),
    )
