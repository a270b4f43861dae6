"""Tells the people in charge, each cause once: claim it, send, note that it went out."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.errors import ProviderDown
from mailer.message import Message
from mailer.notices.causes import Cause, Telling, due
from mailer.notices.gather import gather
from mailer.notices.letters import Enclosure, compose
from mailer.notices.models import Notice
from mailer.providers import Outcome, Receipt

log = structlog.get_logger()

Enclose = Callable[[Session, Cause], Enclosure]
Post = Callable[[Sequence[Message]], Awaitable[list[Outcome]]]


def claim(session: Session, settings: Settings, now: datetime) -> list[Cause]:
    """Take the causes that are due. Two clocks that ask at once do not both get one: the row decides."""
    causes = gather(session, settings, now)
    keys = [cause.key for cause in causes]
    notices = session.exec(select(Notice).where(col(Notice.cause).in_(keys)))
    told = {notice.cause: Telling(notice.told_at, notice.told) for notice in notices}
    ours = due(causes, told, now)
    for cause in ours:
        session.merge(Notice(cause=cause.key, told_at=now, told=False))
    session.flush()
    return ours


def write(
    session: Session, causes: Sequence[Cause], settings: Settings, *, enclose: Enclose, now: datetime
) -> dict[str, list[Message]]:
    """Compose each cause for everyone who wants to hear of it, by cause key."""
    sender = settings.publications[settings.digest.publication]
    return {
        cause.key: [
            compose(cause, person, sender, enclosure=enclose(session, cause), now=now)
            for person in settings.people.values()
            if cause.matter in person.tell
        ]
        for cause in causes
    }


async def send(letters: dict[str, list[Message]], post: Post) -> list[str]:
    """Send and return the keys of the causes that were told; the others are tried again in an hour."""
    told = []
    for key, messages in letters.items():
        try:
            outcomes = await post(messages) if messages else []
        except ProviderDown as error:
            log.warning("notice not sent", cause=key, reason=error.detail)
            continue
        if all(isinstance(outcome, Receipt) for outcome in outcomes):
            told.append(key)
    return told


def settle(session: Session, told: Sequence[str]) -> None:
    """Note which causes were told."""
    for notice in session.exec(select(Notice).where(col(Notice.cause).in_(told))):
        notice.told = True
