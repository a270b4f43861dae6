"""/c/TOKEN: a mailbox confirms that it wants what somebody signed it up for. Opening the page changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from mailer.links import Claim, Purpose
from mailer.members import recruiting, welcomes
from mailer.web.forms import Posted
from mailer.web.house import Here, House, claim_of
from mailer.web.standing import find_standing
from subscribers import joining
from subscribers.models import SignUp

router = APIRouter()

Asked = Annotated[Claim, Depends(claim_of(Purpose.CONFIRM))]


@router.get("/c/{token}")
def ask(claim: Asked, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        sign_up = _waiting(house, session, claim)
        return _page(house, claim, session, sign_up.publication if sign_up else None, "ask" if sign_up else "over")


@router.post("/c/{token}")
def confirm(claim: Asked, house: Here, fields: Posted) -> HTMLResponse:
    with house.writing() as session:
        sign_up = _waiting(house, session, claim)
        if sign_up is None:
            return _page(house, claim, session, None, "over")
        publication = sign_up.publication
        if not house.came_from_our_page(fields, claim.member):
            return _page(house, claim, session, publication, "stale")
        now, district = house.app.now(), sign_up.district
        inviter = recruiting.inviter_of(session, sign_up)
        joined = joining.confirm(session, sign_up, now=now)
        if joined and inviter is not None:
            recruiting.note(
                session, inviter, publication=publication, district=district, settings=house.app.settings, now=now
            )
        if joined and house.app.settings.welcome.enabled:
            welcomes.want(session, joined, publication=publication, now=now)
        return _page(house, claim, session, publication, "done" if joined else "over")


def _waiting(house: House, session: Session, claim: Claim) -> SignUp | None:
    since = house.app.now() - house.app.settings.retention.sign_ups
    return joining.find(session, claim.mailing, claim.member, since=since)


def _page(house: House, claim: Claim, session: Session, publication: str | None, stage: str) -> HTMLResponse:
    standing = find_standing(session, claim, house.app.now())
    tokens = house.app.links.tokens
    return house.pages.answer(
        "confirm.html",
        standing.language,
        status={"over": 410, "stale": 400}.get(stage, 200),
        stage=stage,
        name=house.name_of(publication, standing.language) if publication else "",
        nonce=house.nonce_for(claim.member),
        choose=tokens.make(Purpose.PREFERENCES, claim.member),
        leave=tokens.make(Purpose.UNSUBSCRIBE, claim.member),
        joinable=house.app.settings.join.publications,
    )
