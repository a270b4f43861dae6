"""Whoever gets our letters is sent a link to those from before, when they ask for it."""

from datetime import datetime

from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.i18n import spoken
from mailer.links import hour_of
from mailer.outbox.single import LetterToOne, post
from subscribers.address import Address
from subscribers.models import Member, State


def send(session: Session, said: Address, settings: Settings, *, publication: str, now: datetime) -> bool:
    """Post the letter with the link, once an hour at most. Returns whether one was posted.

    To an address that several share goes one, which carries the link of the lowest id among them.
    """
    query = select(Member).where(Member.address_key == said.key, Member.state == State.ACTIVE)
    member = session.exec(query.order_by(col(Member.id)).limit(1)).first()
    if member is None or member.id is None:
        return False
    letter = LetterToOne(
        key=f"archive:{member.id}:{hour_of(now)}",
        letter="archive",
        publication=publication,
        member_id=member.id,
        language=spoken(member.language, settings.site.language),
    )
    return post(session, letter, give_up_after=settings.outbox.give_up_after, now=now) is not None
