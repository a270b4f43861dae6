"""/j/TOKEN: the page of signing up, by the link of a member who invites. /progress: how many came, and where."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import select
from starlette.exceptions import HTTPException

from mailer.links import Claim, Purpose
from mailer.members import recruiting
from mailer.web.house import Here, House, claim_of, language_of
from mailer.web.joining import Remark, join_page, offer_of
from subscribers.models import District

router = APIRouter()

Invited = Annotated[Claim, Depends(claim_of(Purpose.RECRUIT))]


@router.get("/j/{token}")
def invite(claim: Invited, token: str, house: Here, request: Request) -> HTMLResponse:
    """Show the form. It says that a member invites, and not who: the link may be anywhere."""
    del claim
    _require(house)
    offer = replace(offer_of(house.app.settings.join.publications[0], house), invited=token)
    return join_page(house, offer, language_of(request, house), Remark.NONE)


@router.get("/progress")
def progress(request: Request, house: Here) -> HTMLResponse:
    _require(house)
    with house.app.reading() as session:
        counts = recruiting.by_district(session)
        names: dict[str, str] = {row.slug: row.name for row in session.exec(select(District))}
    named, total = recruiting.shown(counts, least=house.app.settings.recruiting.least)
    rows = sorted(((names.get(slug, slug), number) for slug, number in named.items()), key=lambda row: -row[1])
    return house.pages.answer(
        "progress.html",
        language_of(request, house),
        rows=rows,
        total=total,
        least=house.app.settings.recruiting.least,
    )


def _require(house: House) -> None:
    """raises HTTPException 404 where nobody invites, or nobody can sign up"""
    if not house.app.settings.invites:
        raise HTTPException(404)
