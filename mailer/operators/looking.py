"""What an approver looks at: the letter itself, as it goes out, in each of its forms. No member stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mailer.campaigns import book as campaigns
from mailer.campaigns import looking
from mailer.campaigns.content import subjects_of
from mailer.campaigns.letter import Post, Standing
from mailer.digest import editions, previews, proofs
from mailer.digest.contents import title_of
from mailer.digest.plan import Basis, imagined, prepare
from mailer.digest.previews import Sheet
from mailer.errors import Mistake
from mailer.i18n import LANGUAGES
from mailer.operators import about_events
from mailer.reminders import looking as event_letters
from mailer.reminders.dossier import Dossier
from mailer.reminders.looking import Look
from mailer.reminders.plan import Planner
from mailer.render.letters import Letters
from subscribers import audience

_NOWHERE = "-"  # as a form: that of readers who chose no district


@dataclass(frozen=True, slots=True)
class Desk:
    """What a letter is laid out with. `newcomers`: as mailer.digest.plan.prepare takes it."""

    place: Post
    letters: Letters
    newcomers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Form:
    """One of the letters that readers get. `name` asks for it; `district`: whose readers, None: not by district."""

    name: str
    language: str
    subject: str
    district: str | None = None


def forms(session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
    """Return the forms of a letter, the first of them what most is to be learned from. raises Mistake"""
    if _is_campaign(key):
        return _of_campaign(session, desk, key, now)
    return (_of_event if about_events.is_about_event(key) else _of_edition)(session, desk, key, now)


def page(session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[str, str]:
    """Return one form as HTML, and its language. raises Mistake when there is none"""
    if _is_campaign(key):
        return _campaign(session, desk, key, form, now)
    return (_event if about_events.is_about_event(key) else _edition)(session, desk, key, form, now)


def _is_campaign(key: str) -> bool:
    return key.startswith(campaigns.KEY)


def _of_campaign(session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
    return _forms_in(_standing(session, desk, key, now))


def _forms_in(standing: Standing) -> Sequence[Form]:
    return [
        Form(f"{language}-{number}", language, subject)
        for language, version in standing.content["versions"].items()
        for number, subject in enumerate(subjects_of(version))
    ]


def _campaign(session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[str, str]:
    standing, place = _standing(session, desk, key, now), desk.place
    if form not in {it.name for it in _forms_in(standing)}:
        raise _no_form()
    language, _, number = form.partition("-")
    shown = list(looking.show(desk.letters, standing, place.settings, place.links, language, now))
    return shown[int(number)].html, language


def _standing(session: Session, desk: Desk, key: str, now: datetime) -> Standing:
    campaign = campaigns.find(session, key)
    return desk.place.desk(session, now).read_again(campaign, campaigns.mailing_of(session, campaign).send_at)


def _of_event(session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
    """Return the letters about an event that are to come, in each language."""
    dossier, planner = about_events.find(session, desk.place, key, now)
    return [
        Form(name, language, event_letters.show(desk.letters, planner, session, dossier, look, language).subject)
        for name, (look, language) in _event_looks(session, planner, dossier).items()
    ]


def _event(session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[str, str]:
    dossier, planner = about_events.find(session, desk.place, key, now)
    known = _event_looks(session, planner, dossier)
    if form not in known:
        raise _no_form()
    look, language = known[form]
    return event_letters.show(desk.letters, planner, session, dossier, look, language).html, language


def _event_looks(session: Session, planner: Planner, dossier: Dossier) -> Mapping[str, tuple[Look, str]]:
    looks = event_letters.looks(session, planner, dossier)
    return {f"{look.letter}-{language}": (look, language) for look in looks for language in LANGUAGES}


def _of_edition(session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
    basis, moment = _basis(session, desk, key, now)
    local = moment.astimezone(basis.settings.site.zone)
    read = audience.districts(session.connection(), publication=basis.edition.publication, now=local)
    found = []
    for district in (_NOWHERE, *(slug for slug in basis.names["district"] if slug in read)):
        sheet = _sheet(basis, district)
        if sheet is not None:
            pieces = [basis.candidates.pieces[item] for item in sheet.digest.items]
            title = title_of(basis.edition.subject, pieces)
            found.append(Form(district, sheet.form.language, title, basis.names["district"].get(district, "")))
    return found


def _edition(session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[str, str]:
    basis, moment = _basis(session, desk, key, now)
    sheet = _sheet(basis, form) if form in {_NOWHERE, *basis.names["district"]} else None
    if sheet is None:
        raise _no_form()
    return proofs.html_of(desk.letters, basis, sheet, desk.place.links, moment), sheet.form.language


def _basis(session: Session, desk: Desk, key: str, now: datetime) -> tuple[Basis, datetime]:
    """Gather as if it were the hour of sending, or now when that is past."""
    place = desk.place
    edition = editions.find(session, place.settings, key, now)
    moment = max(now, editions.mailing_of(session, edition).send_at or now)
    return prepare(session, place.settings, edition, place.links, moment, desk.newcomers), moment


def _sheet(basis: Basis, district: str) -> Sheet | None:
    """Decide for a reader who chose this district and nothing else, and has had nothing."""
    chosen = frozenset({district} - {_NOWHERE})
    return previews.for_reader(basis, imagined(chosen, basis, basis.settings.site.language), 0)


def _no_form() -> Mistake:
    return Mistake("The letter has no such form.")
