"""/r/TOKEN/shifts: a member takes a shift, leaves it, offers it, swaps it, or keeps it. Opening it changes nothing."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from mailer.errors import Mistake
from mailer.events import shifts, swaps
from mailer.events.models import Event
from mailer.links import Claim
from mailer.members import places
from mailer.members import swaps as with_others
from mailer.web.answering import Asked, Remark, answer_page, asked
from mailer.web.forms import Fields, Posted
from mailer.web.house import Here, House

router = APIRouter()

_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)  # as of news items
_ACTS: Mapping[str, tuple[Callable[..., Any], Remark]] = {
    "leave": (shifts.leave, Remark.LEFT),
    "offer": (shifts.offer, Remark.OFFERED),
    "keep": (shifts.keep, Remark.KEPT),
    "withdraw": (swaps.withdraw, Remark.WITHDRAWN),
}
_WITH_ANOTHER: Mapping[str, tuple[Callable[..., Any], Remark]] = {
    "propose": (with_others.propose, Remark.PROPOSED),
    "swap": (with_others.agree, Remark.SWAPPED),
}


@router.get("/r/{token}/shifts")
def look(claim: Asked, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        return answer_page(house, claim, session, Remark.NONE)


@router.post("/r/{token}/shifts")
def shift(claim: Asked, house: Here, fields: Posted) -> HTMLResponse:
    with house.writing() as session:
        event, _ = asked(house, claim, session)
        if not house.came_from_our_page(fields, claim.member):
            return answer_page(house, claim, session, Remark.STALE)
        try:
            remark = _carry_out(house, session, event, claim, fields)
        except Mistake as refusal:
            return answer_page(house, claim, session, Remark.REFUSED, refusal=refusal)
        return answer_page(house, claim, session, remark)


def _carry_out(house: House, session: Session, event: Event, claim: Claim, fields: Fields) -> Remark:
    """raises Mistake for what cannot be; then nothing is changed"""
    choice, number, now = fields.one("choice"), fields.one("shift"), house.app.now()
    other = fields.one("other") if choice in _WITH_ANOTHER else number
    known = choice in (*_ACTS, *_WITH_ANOTHER, "take")
    if not (known and _NUMBER.fullmatch(number) and _NUMBER.fullmatch(other)):
        raise Mistake("Choose one of the shifts on the page.")
    if choice in _WITH_ANOTHER:
        act, remark = _WITH_ANOTHER[choice]
        act(session, house.app.settings, event, swaps.Wish(claim.member, int(number), int(other)), now=now)
        return remark
    if choice == "take":
        places.take_shift(session, house.app.settings, event, int(number), claim.member, now=now)
        return Remark.TAKEN
    act, remark = _ACTS[choice]
    act(session, event, int(number), claim.member, now=now)
    return remark
