"""Letters about an event: whether they may go as it is said now, and their approval.

An event, its page and its calendar say at once what is so; only the letters wait. They go by themselves to few, within
the districts of whoever said it; beyond that they wait for another operator, who approves what they say and to whom.
Nothing is stored but the request: another word of the event, and what was approved is not what it says.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from mailer.campaigns import audience
from mailer.campaigns.letter import Post
from mailer.campaigns.rules import Rule
from mailer.campaigns.words import in_words
from mailer.errors import Mistake
from mailer.events.models import Event
from mailer.i18n import LANGUAGES, translations
from mailer.operators.models import ApprovalRequest, Outcome
from mailer.operators.people import operators
from mailer.operators.proposals import Proposal
from mailer.operators.rules import NOBODY, Asked, is_beyond
from mailer.reminders import gather
from mailer.reminders.approving import Reach, content_of, reaches
from mailer.reminders.dossier import Dossier
from mailer.reminders.plan import Planner
from mailer.sentences import N_
from subscribers.reference import parents

_KEY = "event:"
_NEAR = N_("near it, and did not say no")
_TOLD = N_("others, who were told another time or place, or saw one when they answered")
_ONLY_TOLD = N_("Everyone who was told otherwise, or saw it otherwise when they answered.")
_ALSO_TOLD = N_("Also: who was told otherwise, or saw it otherwise when they answered.")
_UNDECIDED = N_("Also: who chose no district.")


def key_of(event: int) -> str:
    return f"{_KEY}{event}"


def is_about_event(key: str) -> bool:
    return key.startswith(_KEY)


def called(session: Session, key: str) -> str:
    """Return what people call what a key is of: that of an event says nothing to whoever approves."""
    number = key.removeprefix(_KEY)
    event = session.get(Event, int(number)) if is_about_event(key) and number.isdecimal() else None
    return f"{key} ({event.title})" if event else key


class Waiting(NamedTuple):
    """Letters about an event that wait for approval, and to whom they go."""

    dossier: Dossier
    reach: Reach


class Clearance:
    """Which letters about events may go at `now`. Each revision of an event is judged once.

    unasked  numbers of events whose letters wait and nobody was asked for approval
    """

    def __init__(self, place: Post, now: datetime) -> None:
        self._place, self._now = place, now
        self.planner = Planner(place.engine, place.settings, place.links, now, may_go=self.may_go)
        self.unasked: set[int] = set()
        self._known: dict[tuple[int, int], bool] = {}

    def may_go(self, session: Session, dossier: Dossier) -> bool:
        if not self._place.settings.operators:
            return True
        revision = (dossier.id, dossier.sequence)
        if revision not in self._known:
            self._known[revision] = self._judge(session, dossier)
        return self._known[revision]

    def waiting(self, session: Session, events: Collection[int]) -> list[Waiting]:
        """Return those of these events whose letters wait, asked for or not."""
        if not self._place.settings.operators:
            return []
        dossiers = [dossier for event in events for dossier in gather.dossiers(session, self._now, only=event)]
        open_ = [dossier for dossier in dossiers if not self._is_approved(session, dossier)]
        found = reaches(session, self.planner, open_)
        return [
            Waiting(dossier, found[dossier.id])
            for dossier in open_
            if self._is_beyond(session, dossier, found[dossier.id])
        ]

    def _is_approved(self, session: Session, dossier: Dossier) -> bool:
        last = latest(session, dossier.id, content_of(self.planner, dossier))
        return last is not None and last.outcome is Outcome.GRANTED

    def _judge(self, session: Session, dossier: Dossier) -> bool:
        last = latest(session, dossier.id, content_of(self.planner, dossier))
        if last is not None and last.outcome is Outcome.GRANTED:
            return last.not_before is not None and last.not_before <= self._now
        if last is not None and last.is_standing(self._now):
            return False
        if not self._is_beyond(session, dossier, reaches(session, self.planner, [dossier])[dossier.id]):
            return True
        self.unasked.add(dossier.id)
        return False

    def _is_beyond(self, session: Session, dossier: Dossier, reach: Reach) -> bool:
        settings = self._place.settings
        author = operators(session, settings).get(dossier.said_by or NOBODY)
        asked = Asked(dossier.said_by or NOBODY, reach.members, reach.districts)
        return reach.members > 0 and is_beyond(asked, author, second_above=settings.approval.second_above)


def latest(session: Session, event: int, content: str) -> ApprovalRequest | None:
    """Return what became of the last request for these words about an event."""
    query = select(ApprovalRequest).where(ApprovalRequest.key == key_of(event), ApprovalRequest.content == content)
    return session.exec(query.order_by(col(ApprovalRequest.id).desc())).first()


def last_granted(session: Session, event: int) -> int | None:
    """Return the number of the last request about an event that was granted."""
    granted = select(ApprovalRequest.id).where(
        ApprovalRequest.key == key_of(event), ApprovalRequest.outcome == Outcome.GRANTED
    )
    return session.exec(granted.order_by(col(ApprovalRequest.id).desc())).first()


class Events:
    def propose(self, session: Session, place: Post, key: str, now: datetime) -> Proposal:
        dossier, planner = find(session, place, key, now)
        content, reach = content_of(planner, dossier), reaches(session, planner, [dossier])[dossier.id]
        last = latest(session, dossier.id, content)
        if last is not None and last.outcome is Outcome.GRANTED:
            raise Mistake("The letters about {event} are approved as it is said now.", event=dossier.key)
        if not reach.members:
            raise Mistake("No letter about {event} is to come, so there is nothing to approve.", event=dossier.key)
        author = dossier.said_by if dossier.said_by in place.settings.operators else NOBODY
        return Proposal(
            key=key,
            content=content,
            people=reach.members,
            districts=reach.districts,
            words=words(session, place, dossier, reach),
            mails=reach.members,
            account=_account(reach),
            author=author,
        )

    def approve(self, place: Post, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> bool:
        """Do nothing: the clock reads from the request that these words may go."""
        del place, proposal, who, not_before, now
        return True

    def take_back(self, place: Post, key: str, now: datetime) -> None:
        """Do nothing: while it can be taken back nothing has gone, and then it is not granted any more."""
        del place, key, now


def find(session: Session, place: Post, key: str, now: datetime) -> tuple[Dossier, Planner]:
    """Return the event of a key, and what its letters are planned with. raises Mistake when there is none"""
    number = key.removeprefix(_KEY)
    found = gather.dossiers(session, now, only=int(number)) if number.isdecimal() else []
    if not found:
        raise Mistake("There is no event {name}; `utskick events list` shows those there are.", name=number)
    return found[0], Planner(place.engine, place.settings, place.links, now)


def words(session: Session, place: Post, dossier: Dossier, reach: Reach) -> Mapping[str, str]:
    """Return to whom the letters go in words, by language."""
    publication = place.settings.events.publication
    if not reach.near or not publication:
        return {language: translations(language).gettext(_ONLY_TOLD) for language in LANGUAGES}
    names = audience.names(
        session, {language: place.settings.name_of(publication, language) for language in LANGUAGES}, ""
    )
    rule = Rule(districts=tuple(sorted(dossier.details.districts)))
    return {
        language: " ".join((in_words(rule, names, language), *_besides(session, dossier, reach, language)))
        for language in LANGUAGES
    }


def _besides(session: Session, dossier: Dossier, reach: Reach, language: str) -> Sequence[str]:
    say = translations(language).gettext
    tree = parents(session)
    is_root = any(tree.get(slug) is None for slug in dossier.details.districts)
    return [*([say(_UNDECIDED)] if is_root else []), *([say(_ALSO_TOLD)] if reach.told else [])]


def _account(reach: Reach) -> Mapping[str, Sequence[tuple[int, str]]]:
    if not (reach.near and reach.told):
        return {}
    lines = ((reach.near, _NEAR), (reach.told, _TOLD))
    return {
        language: [(number, translations(language).gettext(why)) for number, why in lines] for language in LANGUAGES
    }
