"""/m/TOKEN: what is stored about a member, and correcting it. The token comes by mail, and is good for a few hours."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session
from starlette.exceptions import HTTPException

from mailer.i18n import translations
from mailer.links import Claim, Purpose
from mailer.outbox.single import LetterToOne, post
from mailer.web.forms import Fields, Posted
from mailer.web.fresh import is_fresh, link_path, send_link, sender_of
from mailer.web.house import Here, House, claim_of
from mailer.web.limits import Act
from mailer.web.standing import Standing, find_standing
from subscribers import address, correction, enrolment
from subscribers.errors import Refused
from subscribers.models import State

router = APIRouter()

ByMail = Annotated[Claim, Depends(claim_of(Purpose.OWN))]
FromAnyLink = Annotated[Claim, Depends(claim_of(Purpose.PREFERENCES, Purpose.OWN))]
TOO_OLD = 410


class Remark(StrEnum):
    NONE = ""
    RENAMED = "renamed"
    MOVING = "moving"
    STALE = "stale"
    REFUSED = "refused"
    NOT_SURE = "not sure"


@router.get("/m/{token}")
def look(claim: ByMail, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        return own_page(house, claim, session, Remark.NONE)


@router.post("/m/{token}")
def correct(claim: ByMail, house: Here, fields: Posted, request: Request) -> HTMLResponse:
    """Change the name at once; a change of address sends a letter to both mailboxes."""
    if fields.one("choice") == "address":
        house.count(Act.MAIL, request)
    with house.writing() as session:
        if not is_fresh(claim, house.app.now()):
            return own_page(house, claim, session, Remark.NONE)
        if not house.came_from_our_page(fields, claim.member):
            return own_page(house, claim, session, Remark.STALE)
        try:
            remark = _correct(house, claim, session, fields)
        except Refused as refusal:
            return own_page(house, claim, session, Remark.REFUSED, refusal)
        return own_page(house, claim, session, remark)


@router.post("/m/{token}/link")
def ask_for_link(claim: FromAnyLink, house: Here, fields: Posted, request: Request) -> HTMLResponse:
    """Send a fresh link to the address we have. The answer does not say which that is, nor whether there is one."""
    house.count(Act.MAIL, request)
    now = house.app.now()
    with house.writing() as session:
        standing = find_standing(session, claim, now)
        sent = house.came_from_our_page(fields, claim.member)
        if sent:
            send_link(house, session, standing, now)
    return house.pages.answer("sent.html", standing.language, status=200 if sent else 400, sent=sent)


def _correct(house: House, claim: Claim, session: Session, fields: Fields) -> Remark:
    now = house.app.now()
    match fields.one("choice"):
        case "name":
            given, family = fields.one("given_name"), fields.one("family_name")
            correction.rename(session, claim.member, given_name=given, family_name=family, now=now)
            return Remark.RENAMED
        case "address":
            new = address.parse(fields.one("address"))
            number = correction.ask_to_move(session, claim.member, new, now=now)
            for letter in _letters(house, find_standing(session, claim, now), number, new):
                post(session, letter, give_up_after=correction.OPEN_FOR, now=now)
            return Remark.MOVING
    return Remark.NONE


def _letters(house: House, standing: Standing, number: int, new: address.Address) -> list[LetterToOne]:
    """Return the letters that ask both mailboxes about a change of address."""
    return [
        LetterToOne(
            key=f"{letter}:{number}",
            letter=letter,
            publication=sender_of(house, standing),
            member_id=standing.member_id,
            language=house.spoken(standing.language),
            number=number,
            address=to,
        )
        for letter, to in (("address-new", new), ("address-old", None))
    ]


def own_page(
    house: House, claim: Claim, session: Session, remark: Remark, refusal: Refused | None = None
) -> HTMLResponse:
    """raises HTTPException 404 when the member has been erased"""
    standing = find_standing(session, claim, house.app.now())
    if standing.state is State.ERASED:
        raise HTTPException(404)
    if not is_fresh(claim, house.app.now()):
        return house.pages.answer(
            "stale-link.html",
            standing.language,
            status=TOO_OLD,
            nonce=house.nonce_for(claim.member),
            link=link_path(house, claim),
        )
    stored = enrolment.export(session, claim.member)
    return house.pages.answer(
        "own.html",
        standing.language,
        status=400 if remark in (Remark.STALE, Remark.REFUSED, Remark.NOT_SURE) else 200,
        remark=remark,
        refusal=_said(refusal, house.spoken(standing.language)) if refusal else "",
        stored=stored,
        publications=[house.name_of(slug, standing.language) for slug in standing.taken],
        nonce=house.nonce_for(claim.member),
        choose=house.app.links.tokens.make(Purpose.PREFERENCES, claim.member),
        own=house.app.links.tokens.make(Purpose.OWN, claim.member, claim.mailing),
    )


def _said(refusal: Refused, language: str) -> str:
    return translations(language).gettext(refusal.sentence).format(**refusal.values)
