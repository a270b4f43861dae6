"""/join/PUBLICATION[/DISTRICT]: sign up. The answer is the same whoever's address it is, in bytes and in time."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import select
from starlette.exceptions import HTTPException

from mailer.i18n import LANGUAGES, translations
from mailer.links import Purpose
from mailer.members import sign_ups
from mailer.web import nonce
from mailer.web.forms import Posted
from mailer.web.house import Here, House, language_of
from mailer.web.limits import Act
from subscribers import address, joining
from subscribers.errors import Refused
from subscribers.models import District

router = APIRouter()

TRAP = "homepage"  # a field that nobody sees; programs that fill in every form fill it in


class Remark(StrEnum):
    NONE = ""
    ONCE_MORE = "once more"
    NO_YES = "no yes"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page is for: a publication, and the district whose news come first if it has one.

    invited  token of the member by whose link it was opened
    """

    publication: str
    district: District | None
    invited: str = ""


def offer_of(publication: str, house: Here, district: str | None = None) -> Offer:
    """raises HTTPException 404 for what nobody can sign up for."""
    if publication not in house.app.settings.join.publications:
        raise HTTPException(404)
    if district is None:
        return Offer(publication, None)
    with house.app.reading() as session:
        found = session.exec(select(District).where(District.slug == district)).first()
        if found is None:
            raise HTTPException(404)
        session.expunge(found)
    return Offer(publication, found)


Offered = Annotated[Offer, Depends(offer_of)]


@router.get("/join/{publication}")
@router.get("/join/{publication}/{district}")
def ask(offer: Offered, house: Here, request: Request) -> HTMLResponse:
    return join_page(house, offer, _language(request, house, ""), Remark.NONE)


@router.post("/join/{publication}")
@router.post("/join/{publication}/{district}")
def sign_up(offer: Offered, house: Here, fields: Posted, request: Request, afterwards: BackgroundTasks) -> HTMLResponse:
    """Write the wish down; who it is, and whether a letter goes, is looked up after the answer is sent."""
    house.count(Act.SIGN_UP, request)
    language, given = _language(request, house, fields.one("language")), fields.one("address")
    offer = replace(offer, invited=fields.one("invited")[:30])
    if fields.one(TRAP) or not nonce.was_read(house.app.links.tokens, fields.one("nonce"), house.app.now()):
        # Also what a form on another site gets: the wording is ours to show, and a person presses once more.
        return join_page(house, offer, language, Remark.ONCE_MORE, given)
    if fields.one("agree") != "yes":
        return join_page(house, offer, language, Remark.NO_YES, given)
    try:
        wish = _wish(house, offer, address.parse(given), language)
    except Refused as refusal:
        why = translations(language).gettext(refusal.sentence)
        return join_page(house, offer, language, Remark.REFUSED, given, why)
    with house.writing() as session:
        number = joining.ask(session, wish, now=house.app.now())
    afterwards.add_task(_answer, house, number)
    return house.pages.answer("asked.html", language, name=house.name_of(offer.publication, language))


def _answer(house: House, number: int) -> None:
    with house.writing() as session:
        sign_ups.answer(session, number, house.app.settings, house.app.now())


def _wish(house: House, offer: Offer, said: address.Address, language: str) -> joining.Wish:
    claim = house.app.links.tokens.read(offer.invited, Purpose.RECRUIT)
    shown = _wording(house, offer, language)
    slug = offer.district.slug if offer.district else None
    return joining.Wish(
        address=said,
        publication=offer.publication,
        district=slug,
        language=language,
        wording=f"join-{hashlib.sha256(shown.encode()).hexdigest()[:12]}",
        shown=shown,
        page="/".join(filter(None, ("/join", offer.publication, slug))),
        recruiter=claim.member if claim and house.app.settings.invites else None,
    )


def _wording(house: House, offer: Offer, language: str) -> str:
    """Return what one says yes to: explicit, as a party's letters tell of opinions (GDPR Art. 9(2)(a))."""
    sentence = translations(language).gettext(
        "Yes, %(organisation)s may store my address to send me %(publication)s. I know that this can tell something "
        "of what I think in politics, and that I can take my yes back at any time."
    )
    return sentence % {
        "organisation": house.app.settings.site.organisation,
        "publication": house.name_of(offer.publication, language),
    }


def _language(request: Request, house: House, shown: str) -> str:
    """Return the language of the page that was filled in, else the browser's."""
    if shown in LANGUAGES:
        return shown
    return language_of(request, house)


def join_page(  # each is something the page shows
    house: House, offer: Offer, language: str, remark: Remark, given: str = "", refusal: str = ""
) -> HTMLResponse:
    return house.pages.answer(
        "join.html",
        language,
        status=400 if remark in (Remark.NO_YES, Remark.REFUSED) else 200,
        remark=remark,
        refusal=refusal,
        name=house.name_of(offer.publication, language),
        district=offer.district,
        wording=_wording(house, offer, language),
        nonce=nonce.issue_to_anyone(house.app.links.tokens, house.app.now()),
        given=given[:254],
        trap=TRAP,
        invited=offer.invited,
        publication=offer.publication,
    )
