"""/v/TOKEN: a letter as it was sent, as a web page. Whoever is given the link learns nothing of who got the letter."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import select
from starlette.exceptions import HTTPException

from mailer.links import Claim, Purpose
from mailer.outbox import kept
from mailer.outbox.models import Mailing
from mailer.web.house import Here, claim_of, language_of

router = APIRouter()

Looking = Annotated[Claim, Depends(claim_of(Purpose.VIEW))]
NO_LONGER_KEPT = 410
# A letter brings its style with it, as mail programs want it; it runs nothing, asks nothing of others, sends no form.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@router.get("/v/{token}")
def view(claim: Looking, house: Here, request: Request) -> HTMLResponse:
    variant, mailing = claim.member, claim.mailing
    with house.app.reading() as session:
        publication = session.exec(select(Mailing.publication).where(Mailing.id == mailing)).first()
        try:
            found = kept.find(session, mailing, variant)
        except LookupError:
            raise HTTPException(404) from None
    archived = publication in house.app.settings.archives
    if found is None or publication not in house.app.settings.publications:
        archive = publication if archived else None
        return house.pages.answer("gone.html", language_of(request, house), status=NO_LONGER_KEPT, archive=archive)
    letter, content = found
    earlier = f"{house.app.links.base_url}/archive/{publication}" if archived else ""
    return letter_page(house.app.composer.page(letter, content, earlier), content.language)


def letter_page(html: str, language: str, headers: Mapping[str, str] = MappingProxyType({})) -> HTMLResponse:
    """Answer with a letter's own HTML."""
    own = {"Content-Language": language, "Content-Security-Policy": LETTER_POLICY}
    return HTMLResponse(html, headers={**own, **headers})
