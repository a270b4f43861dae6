"""/a/TOKEN and /b/TOKEN: the new and the old mailbox confirm a change of address. Neither page shows an address."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from mailer.links import Claim, Purpose
from mailer.web.forms import Fields, Posted
from mailer.web.house import Here, House, claim_of
from mailer.web.standing import find_standing
from subscribers import correction
from subscribers.correction import Mailbox

router = APIRouter()

NewMailbox = Annotated[Claim, Depends(claim_of(Purpose.ADDRESS_NEW))]
OldMailbox = Annotated[Claim, Depends(claim_of(Purpose.ADDRESS_OLD))]


@router.get("/a/{token}")
def ask_the_new(claim: NewMailbox, house: Here) -> HTMLResponse:
    return _ask(house, claim, Mailbox.NEW)


@router.get("/b/{token}")
def ask_the_old(claim: OldMailbox, house: Here) -> HTMLResponse:
    return _ask(house, claim, Mailbox.OLD)


@router.post("/a/{token}")
def agree_as_the_new(claim: NewMailbox, house: Here, fields: Posted) -> HTMLResponse:
    return _agree(house, claim, Mailbox.NEW, fields)


@router.post("/b/{token}")
def agree_as_the_old(claim: OldMailbox, house: Here, fields: Posted) -> HTMLResponse:
    return _agree(house, claim, Mailbox.OLD, fields)


def _ask(house: House, claim: Claim, mailbox: Mailbox) -> HTMLResponse:
    with house.app.reading() as session:
        language = find_standing(session, claim, house.app.now()).language
        change = correction.find_move(session, claim.mailing, claim.member, house.app.now())
    return _page(house, claim, language, mailbox, "ask" if change else "over")


def _agree(house: House, claim: Claim, mailbox: Mailbox, fields: Fields) -> HTMLResponse:
    now = house.app.now()
    with house.writing() as session:
        language = find_standing(session, claim, now).language
        change = correction.find_move(session, claim.mailing, claim.member, now)
        if change is None:
            stage = "over"
        elif not house.came_from_our_page(fields, claim.member):
            stage = "stale"
        else:
            stage = "done" if correction.agree(session, change, mailbox, now=now) else "half"
    return _page(house, claim, language, mailbox, stage)


def _page(house: House, claim: Claim, language: str, mailbox: Mailbox, stage: str) -> HTMLResponse:
    return house.pages.answer(
        "move.html",
        language,
        status={"over": 410, "stale": 400}.get(stage, 200),
        stage=stage,
        mailbox=mailbox,
        nonce=house.nonce_for(claim.member),
    )
