"""/p/TOKEN: choose districts, topics, language, cadence. A forwarded link shows choices, never whose they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlmodel import Session, select

from mailer.events import feeds
from mailer.i18n import LANGUAGES
from mailer.links import Claim, Purpose
from mailer.web.districts import Group, Place, grouped, matching
from mailer.web.forms import Fields, Posted
from mailer.web.fresh import link_path
from mailer.web.house import Here, House, claim_of
from mailer.web.standing import Standing, find_standing
from subscribers import consent, preferences
from subscribers.errors import Refused
from subscribers.models import Cadence, District, Topic
from subscribers.preferences import Preferences

router = APIRouter()

BY_LINK = "link"
WORDING = "choose-1"  # version of the words beside the publications: count up when they change
FIND_AT_MOST = 60  # characters
LANGUAGE_NAMES = {"sv": "Svenska", "en": "English"}  # each in itself: whoever looks for it can read it


Asking = Annotated[Claim, Depends(claim_of(Purpose.PREFERENCES))]


class Remark(StrEnum):
    NONE = ""
    SAVED = "saved"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`unsaved` are choices to show again that were not stored."""

    remark: Remark
    unsaved: Preferences | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """What there is to choose from."""

    districts: tuple[Group, ...]
    topics: tuple[Topic, ...]
    query: str
    found: tuple[Place, ...]

    @property
    def shown(self) -> frozenset[str]:
        """What stands among the found, and so not once more in its group."""
        return frozenset(place.slug for place in self.found)


@router.get("/p/{token}")
def look(claim: Asking, house: Here) -> HTMLResponse:
    with house.app.reading() as session:
        return _page(house, claim, session, Outcome(Remark.NONE))


@router.post("/p/{token}")
def choose(claim: Asking, house: Here, fields: Posted) -> HTMLResponse:
    if fields.one("choice") == "find":
        return _find(house, claim, fields)
    with house.writing() as session:
        return _page(house, claim, session, _save(house, claim, session, fields))


def _find(house: House, claim: Claim, fields: Fields) -> HTMLResponse:
    """Show the districts that were looked for on top; what is ticked stays ticked, and nothing is saved yet."""
    with house.app.reading() as session:
        before = _choices_of(session, find_standing(session, claim, house.app.now()))
        try:
            outcome = Outcome(Remark.NONE, choices_from(fields, before) if before else None)
        except Refused:
            outcome = Outcome(Remark.REFUSED)
        return _page(house, claim, session, outcome, fields.one("find")[:FIND_AT_MOST])


def _save(house: House, claim: Claim, session: Session, fields: Fields) -> Outcome:
    now = house.app.now()
    standing = find_standing(session, claim, now)
    before = _choices_of(session, standing)
    if before is None:
        return Outcome(Remark.NONE)
    try:
        new = choices_from(fields, before)
        if not house.came_from_our_page(fields, claim.member):
            return Outcome(Remark.STALE, new)
        wanted = _wanted(house, standing, fields)
        preferences.change(session, claim.member, new, source=BY_LINK, now=now)
    except Refused:
        return Outcome(Remark.REFUSED)
    _subscribe(session, standing, wanted, now)
    return Outcome(Remark.SAVED)


def _wanted(house: House, standing: Standing, fields: Fields) -> frozenset[str]:
    """Return the publications that shall come. raises Refused for one that the page did not offer

    Whoever gets nothing any more returns by signing up, which asks their mailbox: a link may have been passed on.
    """
    if fields.one("publications") != "shown":
        return frozenset(standing.taken)
    wanted = fields.every("publication")
    if not wanted <= _offered(house, standing).keys():
        raise Refused("Choose one of the publications on the page.")
    return wanted


def _subscribe(session: Session, standing: Standing, wanted: frozenset[str], now: datetime) -> None:
    for slug in sorted(wanted - standing.taken.keys()):
        consent.give(session, standing.member_id, publication=slug, source=BY_LINK, wording=WORDING, now=now)
    for slug in sorted(standing.taken.keys() - wanted):
        consent.withdraw(session, standing.member_id, publication=slug, source=BY_LINK, now=now)


def choices_from(fields: Fields, before: Preferences) -> Preferences:
    """Read the form. raises Refused for what the page did not offer; slugs are judged by whoever stores them."""
    language = fields.one("language")
    if language not in LANGUAGES:
        raise Refused("Choose one of the languages on the page.")
    try:
        cadence = {
            publication: Cadence(fields.one(f"cadence-{publication}") or kept)
            for publication, kept in before.cadence.items()
        }
    except ValueError:
        raise Refused("Choose one of the intervals on the page.") from None
    return Preferences(
        districts=fields.every("district"),
        topics=fields.every("topic"),
        language=language,
        cadence=cadence,
        plain_only=fields.one("plain_only") == "yes",
    )


def _choices_of(session: Session, standing: Standing) -> Preferences | None:
    return preferences.read(session, standing.member_id) if standing.listed else None


def _page(house: House, claim: Claim, session: Session, outcome: Outcome, query: str = "") -> HTMLResponse:
    standing = find_standing(session, claim, house.app.now())
    choices = outcome.unsaved or _choices_of(session, standing)
    return house.pages.answer(
        "choose.html",
        standing.language,
        status=400 if outcome.remark in (Remark.STALE, Remark.REFUSED) else 200,
        remark=outcome.remark,
        choices=choices,
        menu=_menu(session, choices.districts if choices else (), query),
        offered=_offered(house, standing),
        publications={slug: house.name_of(slug, standing.language) for slug in standing.taken},
        left=_name_of_what_was_left(house, standing),
        undo=standing.leaving is not None,
        languages=LANGUAGE_NAMES,
        nonce=house.nonce_for(claim.member),
        link=link_path(house, claim),
        events=choices is not None and feeds.is_any_to_come(session, choices.districts, house.app.now()),
        token=house.app.links.tokens.make(Purpose.PREFERENCES, claim.member, claim.mailing),
        leave=house.app.links.tokens.make(Purpose.UNSUBSCRIBE, claim.member, claim.mailing),
        invite=house.app.links.act(Purpose.RECRUIT, claim.member, 0) if house.app.settings.invites else "",
    )


def _name_of_what_was_left(house: House, standing: Standing) -> str | None:
    """Return the name of the publication that the link came in, when the member does not get it any more."""
    if standing.publication is None or standing.here is not None:
        return None
    return house.name_of(standing.publication, standing.language)


def _offered(house: House, standing: Standing) -> dict[str, tuple[str, bool]]:
    """Return the name of each publication there is, and whether it is taken; none where there is no choice."""
    slugs = dict.fromkeys((*house.app.settings.to_subscribe, *standing.taken))
    offered = {slug: (house.name_of(slug, standing.language), slug in standing.taken) for slug in slugs}
    return offered if standing.taken and len(offered) > 1 else {}


def _menu(session: Session, chosen: Iterable[str], query: str) -> Menu:
    rows = session.exec(select(District.id, District.slug, District.name, District.parent_id)).all()
    places = [Place(number or 0, slug, name, parent) for number, slug, name, parent in rows]
    topics = session.exec(select(Topic).order_by(Topic.name)).all()
    return Menu(grouped(places, frozenset(chosen)), tuple(topics), query, matching(places, query))
