"""/m/TOKEN/held and /m/TOKEN/erase: a member takes what is held about them, or has it deleted. By fresh link only."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, select

from mailer.i18n import translations
from mailer.links import Claim, Purpose
from mailer.members import held
from mailer.web.choosing import LANGUAGE_NAMES
from mailer.web.forms import Fields, Posted
from mailer.web.fresh import is_fresh
from mailer.web.house import Here, House, claim_of
from mailer.web.own import Remark, own_page
from mailer.web.standing import find_standing
from subscribers.access import Act
from subscribers.correction import BY_THEMSELVES
from subscribers.models import District, Topic
from subscribers.states import Ground, State

router = APIRouter()

_TOPICS = select(Topic.slug, Topic.name, Topic.name_en)

ByMail = Annotated[Claim, Depends(claim_of(Purpose.OWN))]


@router.post("/m/{token}/held")
def take(claim: ByMail, house: Here, fields: Posted) -> Response:
    """Show everything, or give it as a file; that it was asked for is noted in the diary."""
    with house.writing() as session:
        if refused := _refused(house, claim, session, fields):
            return refused
        found = held.export(session, claim.member, who=BY_THEMSELVES, now=house.app.now())
        language = house.spoken(find_standing(session, claim, house.app.now()).language)
        names = _names(session, language)
    zone = house.app.settings.site.zone
    if fields.one("choice") == "file":
        text = json.dumps(found, ensure_ascii=False, indent=2, default=lambda value: _plain(value, zone))
        headers = {"Content-Disposition": 'attachment; filename="utskick.json"'}
        return Response(text + "\n", media_type="application/json", headers=headers)
    return house.pages.answer(
        "held.html",
        language,
        held=_readable(found, house, language, names),
        is_member=found["ground"] == Ground.MEMBER,
        words=_words(translations(language).gettext),
        nonce=house.nonce_for(claim.member),
        own=house.app.links.tokens.make(Purpose.OWN, claim.member, claim.mailing),
    )


@router.post("/m/{token}/erase")
def erase(claim: ByMail, house: Here, fields: Posted) -> Response:
    """Delete everything, and say who else may still hold the address."""
    with house.writing() as session:
        if refused := _refused(house, claim, session, fields):
            return refused
        if fields.one("sure") != "yes":
            return own_page(house, claim, session, Remark.NOT_SURE)
        language = house.spoken(find_standing(session, claim, house.app.now()).language)
        elsewhere = held.erase(session, claim.member, who=BY_THEMSELVES, now=house.app.now())
    return house.pages.answer("erased.html", language, elsewhere=elsewhere, carriers=_carriers(language))


def _refused(house: House, claim: Claim, session: Session, fields: Fields) -> Response | None:
    """Return the page that says no to a link that is too old, a member who is gone or a form that is not ours."""
    gone = find_standing(session, claim, house.app.now()).state is State.ERASED
    if gone or not is_fresh(claim, house.app.now()):
        return own_page(house, claim, session, Remark.NONE)
    if not house.came_from_our_page(fields, claim.member):
        return own_page(house, claim, session, Remark.STALE)
    return None


def _plain(value: object, zone: tzinfo) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _readable(
    found: dict[str, object], house: House, language: str, names: Mapping[str, Mapping[str, str]]
) -> dict[str, object]:
    """Return what is held as a person reads it: states in words, times on the site's clock, slugs by what they name.

    names  by field, the names by slug
    """
    gettext, zone = translations(language).gettext, house.app.settings.site.zone
    states = _states(gettext)

    def say(state: Enum) -> str:
        return states.get(str(state)) or gettext(str(state))

    def told(name: str, value: object) -> object:
        if isinstance(value, dict):
            return {key: told(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [told(name, inner) for inner in value]
        if isinstance(value, datetime):
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
        if name == "publication" and value:
            return house.name_of(str(value), language)
        if name in names and value:
            return names[name].get(str(value), value)
        return say(value) if isinstance(value, Enum) else value

    return {name: told(name, value) for name, value in found.items()}


def _names(session: Session, language: str) -> Mapping[str, Mapping[str, str]]:
    """Return by field what its slugs and short words name."""
    gettext = translations(language).gettext
    places = dict(session.exec(select(District.slug, District.name)).all())
    return {
        "language": LANGUAGE_NAMES,
        "districts": places,
        "district": places,
        "topics": {slug: en if language == "en" else sv for slug, sv, en in session.exec(_TOPICS)},
        "provider": _carriers(language),
        "source": _ways(gettext),
        "chosen_by": _ways(gettext),
        "reason": _reasons(gettext),
        "who": {BY_THEMSELVES: gettext("you yourself")},
        "what": {act.value: gettext(act.value) for act in Act},
    }


def _carriers(language: str) -> Mapping[str, str]:
    """Return what a reader calls a provider; a service is called by its name."""
    return {"smtp": translations(language).gettext("our mail server")}


def _ways(gettext: Callable[[str], str]) -> dict[str, str]:
    """Return by which way something was chosen, or came to us."""
    return {
        "form": gettext("by the form for signing up"),
        "import": gettext("from the register"),
        "link": gettext("by a link in a letter"),
        "mail": gettext("by a mail to us"),
        "mailbox": gettext("by a mail to us"),
        "one-click": gettext("by your mail program"),
        "smtp": gettext("our mail server"),
    }


def _reasons(gettext: Callable[[str], str]) -> dict[str, str]:
    """Return why nothing is sent to an address."""
    return {
        "dead": gettext("the address does not work"),
        "complaint": gettext("it was reported as unwanted"),
        "left": gettext("you unsubscribed from everything"),
        "asked": gettext("somebody asked for it"),
    }


def _states(gettext: Callable[[str], str]) -> dict[str, str]:
    """Return what the states in which things are stored are called."""
    return {
        "active": gettext("listed"),
        "pending": gettext("not confirmed yet"),
        "left": gettext("left us"),
        "weekly": gettext("every week"),
        "monthly": gettext("once a month"),
        "given": gettext("a yes"),
        "confirmed": gettext("a yes, confirmed by your mailbox"),
        "withdrawn": gettext("a no"),
        "queued": gettext("it waits to be sent"),
        "sent": gettext("your mail server took it"),
        "failed": gettext("your mail server did not take it"),
        "cancelled": gettext("it was not sent"),
        "uncertain": gettext("nobody knows whether it arrived"),
        "all": gettext("every letter"),
        "bulk": gettext("all but what the statutes oblige us to send"),
        "bounce": gettext("it came back"),
        "complaint": gettext("it was reported as unwanted"),
        "count": gettext("we counted it"),
        "suppress": gettext("we send nothing there any more"),
        "alarm": gettext("we were told"),
    }


def _words(gettext: Callable[[str], str]) -> dict[str, str]:
    """Return what the fields of the page are called."""
    return {
        "publication": gettext("Publication"),
        "cadence": gettext("How often"),
        "since": gettext("Since"),
        "paused_until": gettext("Paused until"),
        "ended_at": gettext("Ended"),
        "at": gettext("When"),
        "kind": gettext("What"),
        "source": gettext("How"),
        "wording": gettext("Version of the words"),
        "evidence": gettext("The words"),
        "shown": gettext("The words"),
        "mailing": gettext("Letter"),
        "state": gettext("What became of it"),
        "settled_at": gettext("When"),
        "provider": gettext("Carried by"),
        "code": gettext("Code of the answer"),
        "answer": gettext("What the server answered"),
        "reason": gettext("Why"),
        "scope": gettext("For what"),
        "address": gettext("Address"),
        "asked_at": gettext("Asked for"),
        "day": gettext("Day"),
        "new_at": gettext("Confirmed by the new mailbox"),
        "old_at": gettext("Confirmed by the old mailbox"),
        "district": gettext("District"),
        "cause": gettext("Cause"),
        "action": gettext("What we did"),
        "words": gettext("What the server answered"),
        "title": gettext("Event"),
        "starts_at": gettext("Begins"),
        "ends_at": gettext("Ends"),
        "place": gettext("Place"),
        "said": gettext("Your answer"),
        "companions": gettext("In company"),
        "waiting": gettext("On the waiting list"),
        "answered_at": gettext("Answered"),
        "offered_at": gettext("Offered to others"),
        "proposed_at": gettext("Proposed"),
        "who": gettext("Who"),
        "what": gettext("What"),
    }
