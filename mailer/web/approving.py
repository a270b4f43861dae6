"""/o/TOKEN: an operator approves a letter to many, says no, or takes it back. Opening the page changes nothing.

/o/TOKEN/letter/FORM shows the letter itself, which the page has in a frame, and /o/TOKEN/text/FORM its text.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from mailer.digest.numbered import is_correction
from mailer.errors import Mistake, ProviderDown
from mailer.links import Claim, Purpose
from mailer.operators import book
from mailer.operators.about_events import is_about_event
from mailer.operators.book import State
from mailer.operators.letters import letters
from mailer.operators.looking import Desk, Form, sight_of
from mailer.operators.matters import matter_of
from mailer.operators.models import Outcome
from mailer.operators.people import number_of, operators
from mailer.operators.proposals import Proposal
from mailer.operators.rules import Operator
from mailer.providers import Receipt
from mailer.render.letters import Shown
from mailer.web.forms import Posted
from mailer.web.guard import HEADERS
from mailer.web.house import Here, House, claim_of
from mailer.web.viewing import LETTER_POLICY, letter_page

router = APIRouter()
log = structlog.get_logger()

ByLink = Annotated[Claim, Depends(claim_of(Purpose.APPROVE))]
# The page has the letter in a frame: it may, and of others nobody.
FRAMING = {"Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; frame-src 'self'"}
FRAMED = {
    "Content-Security-Policy": LETTER_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
    "X-Frame-Options": "SAMEORIGIN",
}
_ACTS = {"approve": book.sign, "decline": book.decline, "take back": book.take_back}


class Stage(StrEnum):
    ASK = "ask"
    WAITS = "waits"
    OVER = "over"


@router.get("/o/{token}")
def look(claim: ByLink, house: Here) -> HTMLResponse:
    operator = _operator(house, claim)
    return _page(house, claim, operator, _state(house, claim))


@router.post("/o/{token}")
def decide(claim: ByLink, house: Here, fields: Posted) -> HTMLResponse:
    operator = _operator(house, claim)
    before = _state(house, claim)
    act = _ACTS.get(fields.one("choice"))
    if act is None or not house.came_from_our_page(fields, claim.member):
        return _page(house, claim, operator, before, remark="stale")
    try:
        state = act(house.app.approving, claim.mailing, operator.slug, now=house.app.now())
    except Mistake:
        return _page(house, claim, operator, _state(house, claim), remark="too late")
    unsent = (state.outcome, state.signed) != (before.outcome, before.signed) and not _tell(house, state)
    return _page(house, claim, operator, state, remark="unsent" if unsent else "")


@router.get("/o/{token}/letter/{form}")
def letter(claim: ByLink, house: Here, form: str) -> HTMLResponse:
    """raises HTTPException 404 as _form"""
    shown, language, _ = _form(house, claim, form)
    return letter_page(shown.html, language, FRAMED)


@router.get("/o/{token}/text/{form}")
def text(claim: ByLink, house: Here, form: str) -> HTMLResponse:
    """raises HTTPException 404 as _form"""
    shown, language, key = _form(house, claim, form)
    return house.pages.answer("letter-text.html", language, shown=shown, key=key)


def _form(house: House, claim: Claim, form: str) -> tuple[Shown, str, str]:
    """Return a form of the letter, its language, and the letter's key.

    raises  HTTPException  404 when nothing is to be decided any more, and for a form that it does not have
    """
    _operator(house, claim)
    now, state = house.app.now(), _state(house, claim)
    if not _is_undecided(state, now):
        raise HTTPException(404)
    try:
        with house.app.reading() as session:
            return *sight_of(state.key).form(session, _desk(house), state.key, form, now), state.key
    except Mistake:
        raise HTTPException(404) from None


def _path(house: House, claim: Claim) -> str:
    """Return the page's own path, behind that of the site."""
    return house.app.links.act(Purpose.APPROVE, claim.member, claim.mailing).removeprefix(house.app.links.base_url)


def _is_undecided(state: State, now: datetime) -> bool:
    return (state.outcome is Outcome.OPEN and not book.is_over(state, now)) or state.may_be_taken_back(now)


def _desk(house: House) -> Desk:
    return Desk(house.app.approving, house.app.letters, house.app.press().newcomers)


def _forms(house: House, state: State) -> Sequence[Form]:
    """Return the forms of the letter; none when nothing is to be decided, or when it cannot be read any more."""
    now = house.app.now()
    if not _is_undecided(state, now):
        return ()
    try:
        with house.app.reading() as session:
            return sight_of(state.key).forms(session, _desk(house), state.key, now)
    except Mistake:
        return ()


def _operator(house: House, claim: Claim) -> Operator:
    """raises HTTPException 404 when they are no operator any more, or have another address now"""
    with house.app.reading() as session:
        people = operators(session, house.app.settings)
        known = book.find(session, claim.mailing) is not None
    for operator in people.values():
        if known and number_of(operator) == claim.member:
            return operator
    raise HTTPException(404)


def _state(house: House, claim: Claim) -> State:
    return book.look(house.app.approving, claim.mailing)


def _tell(house: House, state: State) -> bool:
    """Write to whoever is needed next; False when some could not be written to."""
    mails = letters(house.app.approving, state, now=house.app.now())
    try:
        outcomes = asyncio.run(house.app.post(mails)) if mails else []
    except ProviderDown as down:
        log.warning("approval not told", request=state.number, reason=down.detail)
        return False
    return all(isinstance(outcome, Receipt) for outcome in outcomes)


def _page(house: House, claim: Claim, operator: Operator, state: State, *, remark: str = "") -> HTMLResponse:
    now = house.app.now()
    is_open = state.outcome is Outcome.OPEN and not book.is_over(state, now)
    has_signed = operator.slug in {one.operator for one in state.signed}
    proposal = _proposal(house, state) if is_open else None
    stage = Stage.OVER if proposal is None else Stage.ASK if operator.slug in state.awaited else Stage.WAITS
    language = house.spoken(operator.language)
    zone, forms = house.app.settings.site.zone, _forms(house, state)
    return house.pages.answer(
        "approve.html",
        language,
        headers=FRAMING if forms else {},
        status={"stale": 400, "too late": 409}.get(remark, 200),
        remark=remark,
        stage=stage,
        state=state,
        operator=operator,
        is_asker=not state.signed and not has_signed and state.asked_by == operator.name,
        has_signed=has_signed,
        proposal=proposal,
        about_event=is_about_event(state.key),
        forms=forms,
        letter=f"{_path(house, claim)}/letter/",
        text=f"{_path(house, claim)}/text/",
        is_correction=is_correction(state.key),
        until=f"{state.not_before.astimezone(zone):%H:%M}" if state.may_be_taken_back(now) and state.not_before else "",
        is_over=book.is_over(state, now),
        nonce=house.nonce_for(claim.member),
    )


def _proposal(house: House, state: State) -> Proposal | None:
    try:
        with house.app.reading() as session:
            return matter_of(state.key).propose(session, house.app.approving, state.key, house.app.now())
    except Mistake:
        return None
