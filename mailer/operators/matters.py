"""What can be approved: letters to many, of one kind or another, each by the key of its mailing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session

from mailer import db
from mailer.config import Settings
from mailer.digest import editions
from mailer.i18n import LANGUAGES, translations
from mailer.links import Links
from mailer.sentences import N_
from subscribers import audience
from subscribers.streams import Stream


@dataclass(frozen=True, slots=True)
class Place:
    """The installation, as far as approving needs it."""

    engine: sa.Engine
    settings: Settings
    links: Links


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an approver is shown. `content`: hash of what it says. `districts`: of the audience; None: not bound to any.

    words  the audience, and `text` what the letter says, by language; neither names a member
    """

    key: str
    content: str
    people: int
    districts: frozenset[str] | None
    words: Mapping[str, str]
    text: str


class Matter(Protocol):
    def propose(self, session: Session, place: Place, key: str, now: datetime) -> Proposal:
        """Return it as it stands. raises Mistake when it is past being approved"""

    def approve(self, place: Place, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> None:
        """Let go what was proposed, in transactions of its own. raises Mistake when it is not that any more"""

    def take_back(self, place: Place, key: str) -> None:
        """Make a draft of it again. raises Mistake when it has begun"""


_EVERYONE = N_("everyone who subscribes to {publication}")


class Editions:
    def propose(self, session: Session, place: Place, key: str, now: datetime) -> Proposal:
        edition = editions.find(session, place.settings, key, now)
        editions.require_draft(session, edition)
        publication = edition.publication
        today = now.astimezone(place.settings.site.zone)
        return Proposal(
            key=editions.mailing_of(session, edition).key,
            content=editions.content_of(session, edition),
            people=audience.size(
                session.connection(), publication=publication, stream=Stream.BULK, which=sa.true(), now=today
            )[0],
            districts=None,
            words={
                language: translations(language)
                .gettext(_EVERYONE)
                .format(publication=place.settings.name_of(publication, language))
                for language in LANGUAGES
            },
            text="\n\n".join(filter(None, (edition.subject, edition.intro))),
        )

    def approve(self, place: Place, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> None:
        with db.writing(place.engine) as session:
            edition = editions.find(session, place.settings, proposal.key, now)
            editions.require_same(session, edition, proposal.content)
            editions.approve(session, edition, who=who, now=now, not_before=not_before)

    def take_back(self, place: Place, key: str) -> None:
        with db.writing(place.engine) as session:
            publication, _, period = key.partition(":")
            editions.take_back(session, editions.of_period(session, publication, period))


def matter_of(key: str) -> Matter:
    del key
    return Editions()
