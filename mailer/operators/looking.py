"""What an approver looks at: the letter itself, as it goes out, in each of its forms. No member stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from mailer.campaigns import book as campaigns
from mailer.campaigns import looking
from mailer.campaigns.content import subjects_of
from mailer.campaigns.letter import Post, Standing
from mailer.digest import editions, mended, previews, proofs, waiting
from mailer.digest.contents import title_of
from mailer.digest.mended import Example, Kind
from mailer.digest.numbered import is_correction
from mailer.digest.plan import Basis, imagined, prepare
from mailer.digest.previews import Sheet
from mailer.errors import Mistake
from mailer.i18n import LANGUAGES
from mailer.operators import about_events
from mailer.reminders import looking as event_letters
from mailer.reminders.dossier import Dossier
from mailer.reminders.looking import Look
from mailer.reminders.plan import Planner
from mailer.render.letters import Letters, Shown
from mailer.render.recipients import Recipient
from mailer.render.samples import sample
from mailer.sentences import N_
from subscribers import audience

_NOWHERE = "-"  # as a form: that of readers who chose no district
_TO_WHOM = {
    Kind.CORRECTION: N_("for those who got the old words"),
    Kind.EDITION: N_("for those whose letter waits"),
    Kind.ARCHIVE: N_("in the archive"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What a letter is laid out with. `newcomers`: as mailer.digest.plan.prepare takes it."""

    place: Post
    letters: Letters
    newcomers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Form:
    """One of the letters that readers get. `name` asks for it.

    district  whose readers, or who signs; None: not by district
    to_whom   a sentence's part that says it, where not all forms are for the same
    """

    name: str
    language: str
    subject: str
    district: str | None = None
    to_whom: str = ""


class Sight(Protocol):
    def forms(self, session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
        """Return the forms of a letter, the first of them what most is to be learned from. raises Mistake"""

    def form(self, session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[Shown, str]:
        """Return one form and its language. raises Mistake when there is none"""


class Campaigns:
    def forms(self, session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
        return _forms_in(_standing(session, desk, key, now))

    def form(self, session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[Shown, str]:
        standing, place = _standing(session, desk, key, now), desk.place
        if form not in {it.name for it in _forms_in(standing)}:
            raise _no_form()
        language, _, number = form.partition("-")
        shown = list(looking.show(desk.letters, standing, place.settings, place.links, language, now))
        return shown[int(number)], language


def _forms_in(standing: Standing) -> Sequence[Form]:
    return [
        Form(f"{language}-{number}", language, subject)
        for language, version in standing.content["versions"].items()
        for number, subject in enumerate(subjects_of(version))
    ]


def _standing(session: Session, desk: Desk, key: str, now: datetime) -> Standing:
    campaign = campaigns.find(session, key)
    return desk.place.desk(session, now).read_again(campaign, campaigns.mailing_of(session, campaign).send_at)


class Editions:
    def forms(self, session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
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

    def form(self, session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[Shown, str]:
        basis, moment = _basis(session, desk, key, now)
        sheet = _sheet(basis, form) if form in {_NOWHERE, *basis.names["district"]} else None
        if sheet is None:
            raise _no_form()
        return proofs.show(desk.letters, basis, sheet, desk.place.links, moment), sheet.form.language


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


class Events:
    """The letters about an event that are to come, in each language."""

    def forms(self, session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
        dossier, planner = about_events.find(session, desk.place, key, now)
        return [
            Form(name, language, event_letters.show(desk.letters, planner, session, dossier, look, language).subject)
            for name, (look, language) in _event_looks(session, planner, dossier).items()
        ]

    def form(self, session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[Shown, str]:
        dossier, planner = about_events.find(session, desk.place, key, now)
        known = _event_looks(session, planner, dossier)
        if form not in known:
            raise _no_form()
        look, language = known[form]
        return event_letters.show(desk.letters, planner, session, dossier, look, language), language


def _event_looks(session: Session, planner: Planner, dossier: Dossier) -> Mapping[str, tuple[Look, str]]:
    looks = event_letters.looks(session, planner, dossier)
    return {f"{look.letter}-{language}": (look, language) for look in looks for language in LANGUAGES}


class Corrections:
    def forms(self, session: Session, desk: Desk, key: str, now: datetime) -> Sequence[Form]:
        return [_form_of(desk, it, now) for it in _examples(session, desk, key)]

    def form(self, session: Session, desk: Desk, key: str, form: str, now: datetime) -> tuple[Shown, str]:
        for it in _examples(session, desk, key):
            if it.name == form:
                return desk.letters.show(it.letter, _anybody(desk, it, now)), it.letter.language
        raise _no_form()


def _examples(session: Session, desk: Desk, key: str) -> list[Example]:
    place = desk.place
    return mended.examples(session, place.settings, waiting.look(session, place.settings, place.links, key))


def _form_of(desk: Desk, it: Example, now: datetime) -> Form:
    subject = desk.letters.subject(it.letter, _anybody(desk, it, now))
    return Form(it.name, it.letter.language, subject, it.district or None, _TO_WHOM[it.kind])


def _anybody(desk: Desk, it: Example, now: datetime) -> Recipient:
    contact = it.letter.letterhead.from_address
    return sample(contact, contact, desk.place.links, now)


def sight_of(key: str) -> Sight:
    if key.startswith(campaigns.KEY):
        return Campaigns()
    if about_events.is_about_event(key):
        return Events()
    return Corrections() if is_correction(key) else Editions()


def _no_form() -> Mistake:
    return Mistake("The letter has no such form.")
