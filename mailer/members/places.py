"""Free places at events: given to those who wait for one, and told them, in one transaction.

Whatever frees a place (a no, an erased member, room for more) need not know of this: the clock looks every minute. The
answering page looks at once.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.events import answers, wording
from mailer.events.models import Event, Rsvp
from mailer.events.rows import details_of, id_of
from mailer.i18n import LANGUAGES
from mailer.outbox.single import LetterToOne, post
from subscribers.models import Member


def waited_for(session: Session, now: datetime) -> list[Event]:
    """Return the events to come for which somebody waits."""
    waiting = select(Rsvp.event_id).where(col(Rsvp.waiting))
    return list(session.exec(select(Event).where(col(Event.id).in_(waiting), col(Event.starts_at) > now)))


def settle(session: Session, settings: Settings, event: Event, *, now: datetime) -> int:
    """Give what places are free to whoever waits, in order, and post each a letter. Returns how many got one."""
    got = answers.fill(session, event, now=now)
    for member in got:
        tell(session, settings, event, member, News("place"), now=now)
    return len(got)


@dataclass(frozen=True, slots=True)
class News:
    """What a letter about an answer tells: its folder in templates/email, and what its template reads besides."""

    letter: str
    content: Mapping[str, object] = field(default_factory=dict)


def tell(session: Session, settings: Settings, event: Event, member_id: int, news: News, *, now: datetime) -> None:
    """Post one member a letter about their answer to an event; its link opens their page of that event.

    Its key says neither who nor what: keys stay when answers are deleted.
    """
    query = sa.select(col(Member.language), col(Member.plain_only)).where(col(Member.id) == member_id)
    language, plain_only = session.execute(query).one()
    details = details_of(session, event)
    said = {"title": details.title, "when": wording.when(details, language), "place": details.place}
    letter = LetterToOne(
        key=f"{news.letter}:{secrets.token_hex(12)}",
        letter=news.letter,
        publication=settings.events_only or settings.digest.publication,
        member_id=member_id,
        language=language if language in LANGUAGES else settings.site.language,
        content=said | dict(news.content),
        number=id_of(event),
        plain_only=plain_only,
    )
    useless_after = max(event.ends_at - now, settings.outbox.lease)
    post(session, letter, give_up_after=min(settings.outbox.give_up_after, useless_after), now=now)
