"""Approval: what was looked at is what is sent, to those it was counted for. The audience is frozen by it.

A register is gone through outside the transaction that writes, since nobody who writes beside us waits for that.
"""

import json
from array import array
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session, select

from mailer import db
from mailer.campaigns import audience, book, states
from mailer.campaigns.content import subjects_of
from mailer.campaigns.letter import Desk, Post, Standing
from mailer.campaigns.models import Campaign, CampaignRecord
from mailer.campaigns.people import People
from mailer.campaigns.states import Action
from mailer.campaigns.words import Names, condition_in_words, in_words
from mailer.config import Settings
from mailer.errors import Mistake
from mailer.i18n import translations
from mailer.outbox.models import MailingState
from mailer.sentences import N_
from subscribers import audience as register
from subscribers.selection import Counted, Selection, count, holds
from subscribers.streams import Stream

_DESCRIBED = N_("described by that")
_BUT_NOT = N_("but not: {whom}")
_NOT_ALLOWED = N_("may not be written to: did not subscribe, left, paused or have no address")
_READ_LATER = {
    "none": "",
    "members": N_("Later it stands in the archive for members; the line archive = false in the letter keeps it out."),
    "public": N_("Later it stands in the public archive; the line archive = false in the letter keeps it out."),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person looks at before they approve: the letter, to whom in words, and how the number comes about."""

    name: str
    standing: Standing
    selection: Selection
    counted: Counted
    names: Names

    def in_words(self, language: str) -> str:
        return in_words(self.standing.rule, self.names, language, statutory=self.standing.stream is Stream.STATUTORY)

    @property
    def districts(self) -> frozenset[str] | None:
        """The districts that hold everybody it goes to, as rules.Rule.districts_of_all says."""
        return self.standing.rule.districts_of_all(self.names.segments)

    def archived(self, settings: Settings) -> str:
        """Return a sentence on who may read it in the archive, empty when it does not stand there."""
        return _READ_LATER[settings.publications[self.publication].archive] if self.standing.is_for_the_archive else ""

    @property
    def publication(self) -> str:
        return self.standing.front.publication

    def account(self, language: str) -> list[tuple[int, str]]:
        """Return how the number of members comes about: what is added or taken, and why."""
        say = translations(language).gettext
        removed = [(-number, say(_BUT_NOT).format(whom=what)) for what, number in self.exclusions(language)]
        return [(self.counted.matching, say(_DESCRIBED)), *removed, (-self.counted.not_allowed, say(_NOT_ALLOWED))]

    def exclusions(self, language: str) -> list[tuple[str, int]]:
        """Return each exclusion in words, with how many it removed."""
        words = [condition_in_words(one, self.names, language) for one in self.standing.rule.exclude]
        return list(zip(words, self.counted.excluded, strict=True))


def propose(desk: Desk, campaign: Campaign) -> Proposal:
    """Look at a campaign as it stands. raises WrongText, Mistake"""
    mailing = book.mailing_of(desk.session, campaign)
    standing = desk.read_again(campaign, mailing.send_at)
    publication = standing.front.publication
    selection = audience.selection_of(desk.session, standing.rule, standing.event)
    return Proposal(
        name=campaign.name,
        standing=standing,
        selection=selection,
        counted=count(
            desk.session,
            selection,
            publication=publication,
            stream=standing.stream,
            now=desk.now.astimezone(desk.settings.site.zone),
        ),
        names=audience.names(
            desk.session,
            {language: desk.settings.name_of(publication, language) for language in ("sv", "en")},
            standing.event.title if standing.event else "",
        ),
    )


def approve(
    post: Post, name: str, *, who: str, seen: str, not_before: datetime | None = None, now: datetime
) -> Proposal:
    """Approve a campaign as it was `seen` (its hash), and freeze to whom it goes.

    not_before  until then somebody may still change their mind: nothing leaves

    raises  WrongText, Mistake; also when somebody changed it in the meantime
    """
    with db.reading(post.engine) as session:
        campaign = book.find(session, name)
        states.require(Action.APPROVE, book.facts_of(session, campaign), campaign.name)
        proposal = propose(post.desk(session, now), campaign)
        people = _people(session, proposal, now.astimezone(post.settings.site.zone))
    if not people:
        raise Mistake("Nobody would get {name}: look at its audience.", name=name)
    packed = people.packed()
    with db.writing(post.engine) as session:
        campaign = book.find(session, name)
        states.require(Action.APPROVE, book.facts_of(session, campaign), campaign.name)
        send_at = book.mailing_of(session, campaign).send_at
        present = post.desk(session, now).read_again(campaign, send_at)
        if not present.digest == proposal.standing.digest == seen:
            raise Mistake("{name} was changed just now: look at it again.", name=name)
        campaign.not_before = not_before
        settle(session, campaign, proposal, packed, who=who, now=now)
        book.give_time(session, campaign, send_at, post.settings)
    return proposal


def settle(session: Session, campaign: Campaign, proposal: Proposal, people: bytes, *, who: str, now: datetime) -> None:
    """Write an approval down, with what stays of it for years. `people`: as People.packed returns them"""
    mailing = book.mailing_of(session, campaign)
    mailing.state, mailing.reason = MailingState.APPROVED, ""
    campaign.content = campaign.approved = proposal.standing.digest
    campaign.approved_at, campaign.approved_by = now, who
    campaign.people = people
    session.merge(_record(session, mailing.key, campaign, proposal, now))
    session.flush()


def _record(session: Session, key: str, campaign: Campaign, proposal: Proposal, now: datetime) -> CampaignRecord:
    """Return what is kept of an approval; another one takes the place of the one before."""
    old = session.exec(select(CampaignRecord).where(CampaignRecord.key == key)).first()
    return CampaignRecord(
        id=old.id if old else None,
        key=key,
        kind=campaign.kind,
        publication=proposal.publication,
        subject=" / ".join(subjects_of(next(iter(proposal.standing.content["versions"].values())))),
        content=proposal.standing.digest,
        rule_sv=proposal.in_words("sv"),
        rule_en=proposal.in_words("en"),
        counts=json.dumps(asdict(proposal.counted)),
        approved_at=now,
        approved_by=campaign.approved_by or "",
    )


def _people(session: Session, proposal: Proposal, now: datetime) -> People:
    pages = register.pages(
        session.connection(),
        publication=proposal.publication,
        stream=proposal.standing.stream,
        which=holds(proposal.selection),
        now=now,
    )
    return People(array("q", (member for page in pages for reader in page for member in reader.household)))
