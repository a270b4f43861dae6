"""A correction that waits for approval: its note is kept with its mailing, which is a draft until then."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.digest import editions
from mailer.digest.contents import compact
from mailer.digest.models import Edition
from mailer.digest.numbered import edition_of, next_key
from mailer.digest.outdated import Survey, survey
from mailer.errors import Mistake
from mailer.links import Links
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import Mailing, MailingState
from mailer.sentences import N_

_TAKEN_BACK = N_("It was taken back before anything was sent.")
_FOR_NOBODY = N_("Nobody had got the old words, so there was no letter to send.")
_UNSENT = (MailingState.DRAFT, MailingState.APPROVED, MailingState.PLANNED, MailingState.PAUSED, MailingState.HELD)


@dataclass(frozen=True, slots=True)
class Waiting:
    """`content`: hash of the note and what is new."""

    key: str
    edition: Edition
    note: str
    survey: Survey
    content: str


def keep(session: Session, edition: Edition, *, note: str, now: datetime) -> str:
    """Keep the note of a correction until it is approved; another note takes its place. Returns its key."""
    corrected = editions.mailing_of(session, edition)
    key, content = next_key(session, corrected), compact({"correction": note})
    draft = Mailing(
        key=key, publication=corrected.publication, letter=corrected.letter, created_at=now, content=content
    )
    if open_mailing(session, draft) is None:
        known = session.exec(select(Mailing).where(Mailing.key == key)).one()
        known.state, known.reason, known.content = MailingState.DRAFT, "", content
        session.flush()
    return key


def look(session: Session, settings: Settings, links: Links, key: str) -> Waiting:
    """Return a correction as it stands. raises Mistake when it waits for nothing, or there is nothing to correct"""
    draft = session.exec(select(Mailing).where(Mailing.key == key)).first()
    if draft is None or draft.state is not MailingState.DRAFT:
        raise Mistake("The correction {key} does not wait for approval.", key=key)
    publication, _, period = edition_of(key).partition(":")
    edition = editions.of_period(session, publication, period)
    found = survey(session, settings, links, editions.mailing_of(session, edition))
    note = str(json.loads(draft.content)["correction"])
    content = hashlib.sha256(json.dumps([note, found.says]).encode()).hexdigest()
    return Waiting(key, edition, note, found, content)


def take_back(session: Session, key: str) -> None:
    """End a correction of which nothing was sent yet. raises Mistake when its first letters are on their way

    One statement, and the outbox begins with one that asks for the state: whichever comes second finds the other done.
    """
    if not _end(session, key, _TAKEN_BACK):
        raise Mistake(
            "The correction {key} has begun to be sent, or has ended: `utskick outbox cancel {key}` ends what is left "
            "of it.",
            key=key,
        )


def close(session: Session, key: str) -> None:
    """End a correction that mended what waits and what the archive shows, and has nobody to write to."""
    _end(session, key, _FOR_NOBODY)


def _end(session: Session, key: str, reason: str) -> bool:
    unsent = sa.and_(col(Mailing.key) == key, col(Mailing.state).in_(_UNSENT), col(Mailing.started_at).is_(None))
    change = sa.update(Mailing).where(unsent).values(state=MailingState.CANCELLED, reason=reason)
    return session.connection().execute(change).rowcount == 1
