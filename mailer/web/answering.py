"""/r/TOKEN: a member answers to an event. Opening the page changes nothing; it shows the answer, and never whose it is.

A letter may ask in its link, as in /r/TOKEN?yes: that button then stands out, and has to be pressed all the same.
/p/TOKEN/e/NUMBER is the page of any event, by the link to a member's choices that every letter has.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import Session
from starlette.exceptions import HTTPException

from mailer.errors import Mistake
from mailer.events import answers, attendance, entries, shifts, swaps, wording
from mailer.events.attendance import Answer, Wish
from mailer.events.details import Details, EventState
from mailer.events.models import Event
from mailer.events.rota import Post
from mailer.events.rows import details_of, id_of
from mailer.i18n import translations
from mailer.links import Claim, Purpose
from mailer.members import places
from mailer.web.calendar import Number, shown
from mailer.web.forms import Fields, Posted
from mailer.web.house import Here, House, claim_of
from mailer.web.standing import Standing, find_standing
from subscribers.models import State

router = APIRouter()

Named = tuple[int, str]  # a shift: its id, and when and where it is
Asked = Annotated[Claim, Depends(claim_of(Purpose.ANSWER))]


async def _by_any_letter(claim: Annotated[Claim, Depends(claim_of(Purpose.PREFERENCES))], number: Number) -> Claim:
    return Claim(Purpose.ANSWER, claim.member, number)


FromAnyLetter = Annotated[Claim, Depends(_by_any_letter)]


class Remark(StrEnum):
    NONE = ""
    SAVED = "saved"
    TAKEN = "taken"
    LEFT = "left"
    OFFERED = "offered"
    KEPT = "kept"
    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    SWAPPED = "swapped"
    STALE = "stale"
    REFUSED = "refused"


_STATUS = {Remark.STALE: 400, Remark.REFUSED: 409}


@router.get("/r/{token}")
def ask(claim: Asked, house: Here, request: Request) -> HTMLResponse:
    with house.app.reading() as session:
        return answer_page(house, claim, session, Remark.NONE, meant=request.url.query)


@router.get("/p/{token}/e/{number}")
def ask_by_any_letter(claim: FromAnyLetter, house: Here, request: Request) -> HTMLResponse:
    """Show the same for any event: a letter that tells of several has one link to their choices for each reader."""
    with house.app.reading() as session:
        return answer_page(house, claim, session, Remark.NONE, meant=request.url.query)


@router.post("/r/{token}")
def answer(claim: Asked, house: Here, fields: Posted) -> HTMLResponse:
    with house.writing() as session:
        event, standing = asked(house, claim, session)
        if not house.came_from_our_page(fields, claim.member):
            return answer_page(house, claim, session, Remark.STALE, meant=fields.one("choice"))
        try:
            _carry_out(house, session, event, standing, fields)
        except Mistake as refusal:
            return answer_page(house, claim, session, Remark.REFUSED, refusal=refusal)
        return answer_page(house, claim, session, Remark.SAVED)


def _carry_out(house: House, session: Session, event: Event, standing: Standing, fields: Fields) -> None:
    """raises Mistake for what cannot be; then nothing is changed"""
    now = house.app.now()
    answers.give(session, event, standing.member_id, _wish(fields), now=now)
    places.settle(session, house.app.settings, event, now=now)


def _wish(fields: Fields) -> Wish:
    """raises Mistake for what the page did not offer"""
    companions = fields.one("companions") or "0"
    if not (companions.isascii() and companions.isdecimal()) or len(companions) > len("100"):
        raise Mistake("You can bring up to {most} companions.", most=attendance.MOST_COMPANIONS)
    try:
        return Wish(Answer(fields.one("choice")), int(companions))
    except ValueError:
        raise Mistake("Choose one of the answers on the page.") from None


def asked(house: House, claim: Claim, session: Session) -> tuple[Event, Standing]:
    """raises HTTPException 404 when there is no such event or member, as for a token that was made up"""
    standing, event = find_standing(session, claim, house.app.now()), session.get(Event, claim.mailing)
    if event is None or standing.state is State.ERASED:
        raise HTTPException(404)
    return event, standing


def answer_page(
    house: House,
    claim: Claim,
    session: Session,
    remark: Remark,
    *,
    meant: str = "",
    refusal: Mistake | None = None,
) -> HTMLResponse:
    event, standing = asked(house, claim, session)
    language, details, now = house.spoken(standing.language), details_of(session, event), house.app.now()
    posts = shifts.posts(session, id_of(event))
    wishes, own = swaps.wishes(session, id_of(event)), (details.zone, language)
    return house.pages.answer(
        "answer.html",
        language,
        status=_STATUS.get(remark, 200),
        **shown(event, details, language),
        remark=remark,
        refusal=_said(refusal, language) if refusal else "",
        given=answers.find(session, id_of(event), claim.member),
        meant=meant if meant in list(Answer) else "",
        closed=_why_closed(event, details, language, now),
        full=_is_full(session, event),
        entered=entries.is_on_its_way(session, id_of(event), claim.member),
        most=attendance.MOST_COMPANIONS,
        posts=[_offered(post, claim.member, details.zone, language, now=now) for post in posts],
        swaps=_swaps(posts, wishes, claim.member, partial(_named, *own), partial(_briefly, *own), now),
        nonce=house.nonce_for(claim.member),
        token=house.app.links.tokens.make(Purpose.ANSWER, claim.member, claim.mailing),
    )


def _offered(post: Post, member: int, zone: str, language: str, *, now: datetime) -> dict[str, object]:
    """Return a shift as this member sees it, and what they can do about it."""
    acts = ["take"] if post.open_to(member) else []
    if member in post.holders:
        acts = ["keep" if member in post.offering else "offer", "leave"]
    return {
        "id": post.id,
        "when": wording.shift_when(post.shift, zone, language),
        "shift": post.shift,
        "taken": len(post.holders),
        "mine": member in post.holders,
        "offered": member in post.offering,
        "wanted": any(holder != member for holder in post.offering),
        "acts": acts if post.shift.starts_at > now else [],
        "over": post.shift.ends_at <= now,
    }


def _swaps(
    posts: Sequence[Post],
    wishes: Sequence[swaps.Wish],
    member: int,
    named: Callable[[Post], Named],
    briefly: Callable[[Post], Named],
    now: datetime,
) -> dict[int, dict[str, list[Named]]]:
    """Return of each shift that a member has what they get for it by agreeing, what they wish for, and may wish for."""
    found = {}
    for mine in (post for post in posts if member in post.holders):
        wished = {wish.gets for wish in wishes if (wish.member, wish.gives) == (member, mine.id)}
        offers = swaps.on_offer(posts, wishes, member, mine, now)
        known = wished | {post.id for post in offers}
        found[mine.id] = {
            "offers": [named(post) for post in offers],
            "wished": [named(post) for post in posts if post.id in wished],
            "others": [briefly(post) for post in swaps.to_wish_for(posts, member, mine, now) if post.id not in known],
        }
    return found


def _named(zone: str, language: str, post: Post) -> Named:
    return post.id, f"{wording.shift_when(post.shift, zone, language)}, {post.shift.place}"


def _briefly(zone: str, language: str, post: Post) -> Named:
    return post.id, f"{wording.shift_briefly(post.shift, zone, language)}, {post.shift.place}"


def _is_full(session: Session, event: Event) -> bool:
    if event.capacity is None:
        return False
    counted = answers.tally(session, id_of(event))
    return counted.coming >= event.capacity or counted.waiting > 0


def _why_closed(event: Event, details: Details, language: str, now: datetime) -> str:
    """Return why nobody can answer, "" while they can."""
    try:
        attendance.require_open(details, cancelled=event.state is EventState.CANCELLED, now=now)
    except Mistake as reason:
        return _said(reason, language)
    return ""


def _said(refusal: Mistake, language: str) -> str:
    return translations(language).gettext(refusal.sentence).format(**refusal.values)
