"""A correction that waits for approval: its note is kept with its mailing, which is a draft until then."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from mailer.config import Settings
from mailer.digest import corrections, editions
from mailer.digest.contents import compact
from mailer.digest.models import Edition
from mailer.errors import Mistake
from mailer.links import Links
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import Mailing, MailingState


@dataclass(frozen=True, slots=True)
class Waiting:
    """`people`: members who got the old words or wait for their letter; `content`: hash of the note and what is new."""

    key: str
    edition: Edition
    note: str
    people: int
    content: str


def is_correction(key: str) -> bool:
    return corrections.MARK in key


def keep(session: Session, edition: Edition, *, note: str, now: datetime) -> str:
    """Keep the note of a correction until it is approved; another note takes its place. Returns its key."""
    corrected = editions.mailing_of(session, edition)
    key, content = corrections.next_key(session, corrected), compact({"correction": note})
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
    publication, _, period = key.partition(corrections.MARK)[0].partition(":")
    edition = editions.of_period(session, publication, period)
    change = corrections.look(session, settings, links, editions.mailing_of(session, edition))
    note = str(json.loads(draft.content)["correction"])
    content = hashlib.sha256(json.dumps([note, change.says]).encode()).hexdigest()
    return Waiting(key, edition, note, change.people, content)
