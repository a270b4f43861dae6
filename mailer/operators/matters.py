"""What can be approved: letters to many, of one kind or another, each by the key of its mailing or event."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from mailer import db
from mailer.campaigns import approving, states
from mailer.campaigns import book as campaigns
from mailer.campaigns.letter import Post
from mailer.campaigns.states import Action
from mailer.digest import corrections, editions, waiting
from mailer.digest.numbered import edition_of, is_correction
from mailer.errors import Mistake
from mailer.i18n import LANGUAGES, translations
from mailer.operators import about_events
from mailer.operators.about_events import Events
from mailer.operators.proposals import Matter, Proposal
from mailer.sentences import N_
from subscribers import audience
from subscribers.streams import Stream

_EVERYONE = N_("everyone who subscribes to {publication}")
_OF_OLD_WORDS = N_("those who got the old words of {key}, and those whose letter waits")
_LOOKING = N_("nobody: only the archive of {key} gets the new words")
_GOT = N_("got the old words, and get a letter about it")
_WAITS = N_("wait for their letter, and get it with the new words")


class Editions:
    def propose(self, session: Session, place: Post, key: str, now: datetime) -> Proposal:
        edition = editions.find(session, place.settings, key, now)
        editions.require_draft(session, edition)
        publication = edition.publication
        today = now.astimezone(place.settings.site.zone)
        people, mails = audience.size(
            session.connection(), publication=publication, stream=Stream.BULK, which=sa.true(), now=today
        )
        return Proposal(
            key=editions.mailing_of(session, edition).key,
            content=editions.content_of(session, edition),
            people=people,
            districts=None,
            words={
                language: translations(language)
                .gettext(_EVERYONE)
                .format(publication=place.settings.name_of(publication, language))
                for language in LANGUAGES
            },
            mails=mails,
            account={},
        )

    def approve(self, place: Post, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> bool:
        with db.writing(place.engine) as session:
            edition = editions.find(session, place.settings, proposal.key, now)
            editions.require_same(session, edition, proposal.content)
            editions.approve(session, edition, who=who, now=now, not_before=not_before)
        return True

    def take_back(self, place: Post, key: str, now: datetime) -> None:
        del now
        with db.writing(place.engine) as session:
            publication, _, period = key.partition(":")
            editions.take_back(session, place.settings, editions.of_period(session, publication, period))


class Corrections:
    def propose(self, session: Session, place: Post, key: str, now: datetime) -> Proposal:
        del now
        found = waiting.look(session, place.settings, place.links, key)
        got, waits = found.survey.got, found.survey.waiting
        words = _OF_OLD_WORDS if got + waits else _LOOKING
        says = {language: translations(language).gettext for language in LANGUAGES}
        return Proposal(
            key=key,
            content=found.content,
            people=got + waits,
            districts=None,
            words={language: say(words).format(key=edition_of(key)) for language, say in says.items()},
            mails=got + waits,
            account={language: [(got, say(_GOT)), (waits, say(_WAITS))] for language, say in says.items()},
        )

    def approve(self, place: Post, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> bool:
        del who, not_before  # they stand with the signatures; and a correction waits by itself
        with db.reading(place.engine) as session:
            found = waiting.look(session, place.settings, place.links, proposal.key)
            session.expunge_all()
        if found.content != proposal.content:
            raise Mistake("{key} was changed just now: look at it again.", key=proposal.key)
        tools = (place.engine, place.settings, place.links)
        done = corrections.correct(*tools, found.edition, note=found.note, now=now)
        if done.key is None:
            with db.writing(place.engine) as session:
                waiting.close(session, proposal.key)
        return done.key is not None

    def take_back(self, place: Post, key: str, now: datetime) -> None:
        del now
        with db.writing(place.engine) as session:
            waiting.take_back(session, key)


class Campaigns:
    def propose(self, session: Session, place: Post, key: str, now: datetime) -> Proposal:
        campaign = campaigns.find(session, key)
        states.require(Action.APPROVE, campaigns.facts_of(session, campaign), campaign.name)
        found = approving.propose(place.desk(session, now), campaign)
        return Proposal(
            key=campaigns.mailing_of(session, campaign).key,
            content=_hash_of(found),
            people=found.counted.members,
            districts=found.districts,
            words={language: found.in_words(language) for language in LANGUAGES},
            mails=found.counted.mails,
            account={language: found.account(language) for language in LANGUAGES},
            archived=found.archived(place.settings),
        )

    def approve(self, place: Post, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> bool:
        with db.reading(place.engine) as session:
            campaign = campaigns.find(session, proposal.key)
            found = approving.propose(place.desk(session, now), campaign)
            name = campaign.name
        if _hash_of(found) != proposal.content:
            raise Mistake("{key} was changed just now: look at it again.", key=proposal.key)
        approving.approve(place, name, who=who, seen=found.standing.digest, not_before=not_before, now=now)
        return True

    def take_back(self, place: Post, key: str, now: datetime) -> None:
        with db.writing(place.engine) as session:
            campaign = campaigns.find(session, key)
            if campaigns.facts_of(session, campaign).planned:
                raise Mistake("The campaign {name} has begun to be sent: withdraw it.", name=campaign.name)
            campaigns.reopen(session, campaign, now)


def _hash_of(found: approving.Proposal) -> str:
    """Return a hash of what a campaign says and to whom: an approver saw both."""
    return hashlib.sha256(f"{found.standing.digest} {found.standing.rule.model_dump_json()}".encode()).hexdigest()


def matter_of(key: str) -> Matter:
    if key.startswith(campaigns.KEY):
        return Campaigns()
    if about_events.is_about_event(key):
        return Events()
    return Corrections() if is_correction(key) else Editions()
