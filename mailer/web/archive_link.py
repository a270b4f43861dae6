"""Asking for the link to an archive that is for members. The answer is the same whoever's address it is."""

from enum import StrEnum

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from mailer.i18n import translations
from mailer.members import archive_links
from mailer.web import nonce
from mailer.web.forms import Posted
from mailer.web.house import Here, House, language_of
from mailer.web.limits import Act
from subscribers import address
from subscribers.address import Address
from subscribers.errors import Refused

router = APIRouter()

TRAP = "homepage"  # a field that nobody sees; programs that fill in every form fill it in


class Remark(StrEnum):
    NONE = ""
    ONCE_MORE = "once more"
    REFUSED = "refused"


@router.post("/archive/{publication}")
def ask(publication: str, house: Here, fields: Posted, request: Request, afterwards: BackgroundTasks) -> HTMLResponse:
    """Whether the address is a member's is looked up when the answer has been sent: nobody learns who belongs to us."""
    if publication not in house.app.settings.archives:
        raise HTTPException(404)
    house.count(Act.MAIL, request)
    language, given = language_of(request, house), fields.one("address")
    if fields.one(TRAP) or not nonce.was_read(house.app.links.tokens, fields.one("nonce"), house.app.now()):
        return asking_page(house, publication, language, Remark.ONCE_MORE, given)
    try:
        said = address.parse(given)
    except Refused as refusal:
        words = translations(language).gettext(refusal.sentence)
        return asking_page(house, publication, language, Remark.REFUSED, given, words)
    afterwards.add_task(_answer, house, publication, said)
    return house.pages.answer("archive-asked.html", language)


def _answer(house: House, publication: str, said: Address) -> None:
    with house.writing() as session:
        archive_links.send(session, said, house.app.settings, publication=publication, now=house.app.now())


def asking_page(  # each is something the page shows
    house: House, publication: str, language: str, remark: Remark = Remark.NONE, given: str = "", refusal: str = ""
) -> HTMLResponse:
    return house.pages.answer(
        "archive-ask.html",
        language,
        status=400 if remark is Remark.REFUSED else 200,
        remark=remark,
        refusal=refusal,
        name=house.name_of(publication, language),
        publication=publication,
        joinable=publication in house.app.settings.join.publications,
        nonce=nonce.issue_to_anyone(house.app.links.tokens, house.app.now()),
        given=given[:254],
        trap=TRAP,
    )
