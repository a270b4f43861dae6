"""A campaign as it stands at this moment: its text read anew, with everything it names looked up."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from mailer.campaigns import audience, gather
from mailer.campaigns.audience import About
from mailer.campaigns.content import compiled, digest_of, leads_to
from mailer.campaigns.faults import WrongText
from mailer.campaigns.front import Front
from mailer.campaigns.markup import Json
from mailer.campaigns.models import Campaign
from mailer.campaigns.rules import Condition, Rule
from mailer.campaigns.values import RECRUIT
from mailer.campaigns.written import File, Written, read
from mailer.config import Settings
from mailer.errors import Mistake
from mailer.events.models import Event
from mailer.events.moments import at_clock
from mailer.links import Links
from mailer.sentences import Sentence
from subscribers.streams import Stream

_STATUTORY = "call"  # the kind that goes to every member, whatever they said of newsletters


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter and to whom it goes.

    content  as mailer.campaigns.content says; `digest`: its hash
    rule     normalised
    """

    written: Written
    content: Json
    digest: str
    rule: Rule
    event: Event | None
    stream: Stream
    send_at: datetime | None

    @property
    def front(self) -> Front:
        return self.written.front

    @property
    def is_for_the_archive(self) -> bool:
        """Whether everyone who gets its publication gets it: to whom a narrower one went is told to nobody else."""
        return self.front.archive and self.stream is Stream.BULK and self.rule.is_for_all


@dataclass(frozen=True, slots=True)
class Desk:
    """Where letters are read: the register and the books in `session`, as of `now`."""

    session: Session
    settings: Settings
    links: Links
    now: datetime

    def read(self, files: list[File], pictures: gather.Pictures, *, goes_at: datetime | None = None) -> Standing:
        """Read a letter whole. `goes_at`: when that is decided already. raises WrongText, Mistake"""
        written = read(files, language=self.settings.site.language)
        stream = self._stream(written)
        self._require_sender(written)
        send_at = self._moment(written)
        event = gather.event_of(self.session, written)
        goes = max(goes_at or send_at or self.now, self.now)
        look = gather.Found(self.session, self.settings, self.links, pictures, goes)
        content = compiled(written, look, gather.ours(self.settings, written.front.publication))
        if leads_to(content, RECRUIT) and not self.settings.invites:
            raise Mistake(
                "member.recruit leads nowhere: set enabled = true in [recruiting] and publications in [join] of the "
                "config first."
            )
        rule = audience.normalised(self.session, written.front.audience, About(event, written.at))
        return Standing(written, content, digest_of(content), rule, event, stream, send_at)

    def read_again(self, campaign: Campaign, goes_at: datetime | None) -> Standing:
        """Read a campaign that was brought in before. raises WrongText, Mistake"""
        return self.read(files_of(campaign), gather.pictures_of(campaign.pictures), goes_at=goes_at)

    def _stream(self, written: Written) -> Stream:
        """Return what may stop the letter. raises WrongText when kind, publication and audience do not fit"""
        front = written.front
        stream = Stream.STATUTORY if front.kind == _STATUTORY else Stream.BULK
        try:
            self.settings.require_stream(front.publication, stream.value)
        except Mistake as error:
            raise WrongText(error.sentence, at=written.at("publication"), **error.values) from None
        rule = front.audience
        near = Condition(districts=rule.districts, sub_districts=rule.sub_districts)
        if stream is Stream.STATUTORY and rule != Rule(**near.model_dump()):
            raise WrongText(
                "A call goes to every member: its audience can name districts, and nothing else.",
                at=written.at("audience"),
            )
        return stream

    def _require_sender(self, written: Written) -> None:
        sender = written.front.sender
        known = self.settings.publications[written.front.publication].districts
        if sender and sender not in known:
            raise WrongText(
                "{publication} has no district {sender} to sign with: it has {known}.",
                at=written.at("sender"),
                publication=written.front.publication,
                sender=sender,
                known=", ".join(sorted(known)) or "-",
            )

    def _moment(self, written: Written) -> datetime | None:
        said = written.front.send_at
        try:
            return moment_of(said, self.settings) if said else None
        except Mistake as error:
            raise WrongText(error.sentence, at=written.at("send_at"), **error.values) from None


@dataclass(frozen=True, slots=True)
class Post:
    """What campaigns are approved and sent with, in transactions of their own."""

    engine: sa.Engine
    settings: Settings
    links: Links

    def desk(self, session: Session, now: datetime) -> Desk:
        return Desk(session, self.settings, self.links, now)


def moment_of(said: datetime, settings: Settings) -> datetime:
    """Return a moment said on the site's clock, or with an offset. raises Mistake for one that does not exist"""
    try:
        return said.astimezone(settings.site.zone) if said.tzinfo else at_clock(said, settings.site.time_zone)
    except (ValueError, OverflowError):
        raise Mistake("That hour does not exist: the clocks are put forward then.") from None


def files_of(campaign: Campaign) -> list[File]:
    """Return a campaign's text as it was written. raises Mistake when it is not kept any more"""
    if campaign.source is None:
        raise Mistake("The text of {name} is not kept any more.", name=campaign.name)
    return [(name, text) for name, text in json.loads(campaign.source)]


def why(error: Mistake) -> Sentence:
    """Return what is wrong with a letter, to stand in another sentence."""
    return Sentence(error.sentence, error.values)
