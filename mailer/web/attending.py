"""/p/TOKEN/events: what is to come in a member's districts, and what they answered. Opening it changes nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from mailer.events import feeds, wording
from mailer.events.answers import answers_by
from mailer.events.rows import id_of, many_details
from mailer.links import Claim, Purpose
from mailer.web.house import Here, claim_of
from mailer.web.standing import find_standing
from subscribers import preferences

router = APIRouter()

Asking = Annotated[Claim, Depends(claim_of(Purpose.PREFERENCES))]


@router.get("/p/{token}/events")
def look(claim: Asking, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        standing = find_standing(session, claim, house.app.now())
        choices = preferences.read(session, claim.member)
        if choices is None:
            raise HTTPException(404)
        events = feeds.to_come(session, choices.districts, house.app.now())
        details, given = many_details(session, events), answers_by(session, claim.member)
        language = house.spoken(standing.language)
        rows = [
            {
                "number": id_of(event),
                "event": details[id_of(event)],
                "state": event.state.value,
                "when": wording.when(details[id_of(event)], language),
                "given": given.get(id_of(event)),
            }
            for event in events
        ]
    token = house.app.links.tokens.make(Purpose.PREFERENCES, claim.member, claim.mailing)
    return house.pages.answer("events.html", language, events=rows, token=token)
