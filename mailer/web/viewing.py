"""/v/TOKEN: a letter as it was sent, as a web page. Whoever is given the link learns nothing of who got the letter."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from mailer.links import Claim, Purpose
from mailer.outbox import kept
from mailer.web.house import Here, claim_of, language_of

router = APIRouter()

Looking = Annotated[Claim, Depends(claim_of(Purpose.VIEW))]
NO_LONGER_KEPT = 410
# A letter brings its style with it, as mail programs want it; it runs nothing, asks nothing of others, sends no form.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@router.api_route("/v/{token}", methods=["GET", "HEAD"])
def view(claim: Looking, house: Here, request: Request) -> HTMLResponse:
    variant, mailing = claim.member, claim.mailing
    with house.app.reading() as session:
        try:
            found = kept.find(session, mailing, variant)
        except LookupError:
            raise HTTPException(404) from None
    if found is None or found[0].publication not in house.app.settings.publications:
        return house.pages.answer("gone.html", language_of(request, house), status=NO_LONGER_KEPT)
    occasion, content = found
    return letter_page(house.app.composer.page(occasion, content), content.language)


def letter_page(html: str, language: str) -> HTMLResponse:
    """Answer with a letter's own HTML."""
    return HTMLResponse(html, headers={"Content-Language": language, "Content-Security-Policy": LETTER_POLICY})
