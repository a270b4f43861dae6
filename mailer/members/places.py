"""Places and shifts at events: given to those who wait for one, and told them, in one transaction.

Whatever frees a place or moves a shift (a no, an erased member, an edit, an import) need not know of this: the clock
looks every minute. The answering page looks at once.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.events import answers, entries, shifts, wording
from mailer.events.attendance import Answer, Wish
from mailer.events.details import EventState, Shift
from mailer.events.models import Event, Rsvp
from mailer.events.rows import details_of, id_of
from mailer.i18n import spoken
from mailer.members import calendars
from mailer.outbox.single import LetterToOne, post
from subscribers.models import Member

AT_ONCE = 10  # letters a transaction: some milliseconds each, and nobody who writes beside us waits 200
LETTERS_ABOUT_ANSWERS = ("place", "shift", "answered", "coming")  # folders of templates/email


@dataclass(frozen=True, slots=True)
class News:
    """What a letter about an answer tells: its folder in templates/email, and what its template reads besides.

    until            when it is of no use any more; None: when the event is over
    only_with_entry  it is sent for what it does to its reader's calendar, and not without that
    """

    letter: str
    content: Callable[[str], Mapping[str, object]] = lambda _language: {}
    until: datetime | None = None
    only_with_entry: bool = False


def unsettled(session: Session, now: datetime) -> list[Event]:
    """Return the events for which somebody waits, or has a shift that was moved or that they are to be reminded of."""
    waiting = select(Rsvp.event_id).where(col(Rsvp.waiting))
    waited_for = sa.and_(col(Event.id).in_(waiting), col(Event.starts_at) > now)
    changed = col(Event.id).in_(shifts.with_changes())
    near = sa.and_(col(Event.id).in_(shifts.to_remind(now)), col(Event.state) != EventState.CANCELLED)
    return list(session.exec(select(Event).where(sa.or_(waited_for, changed, near)).order_by(col(Event.id))))


def settle(session: Session, settings: Settings, event: Event, *, now: datetime) -> int:
    """Give free places to whoever waits, in order, tell of moved shifts and remind of those near: AT_ONCE of each.

    returns  how many letters were posted; while there are any, there may be more to tell
    """
    got = answers.fill(session, event, now=now, most=AT_ONCE)
    for member in got:
        tell(session, settings, event, member, News("place"), now=now)
    untold = shifts.tell_changes(session, id_of(event), now=now, most=AT_ONCE)
    for member, was, shift in untold:
        tell(session, settings, event, member, about_shift("moved" if shift else "gone", event, was, shift), now=now)
    near = shifts.remind(session, event, now=now, most=AT_ONCE)
    for member, shift in near:
        news = replace(about_shift("near", event, shift), until=shift.starts_at)
        tell(session, settings, event, member, news, now=now)
    return len(got) + len(untold) + len(near)


def take_shift(
    session: Session, settings: Settings, event: Event, shift_id: int, member_id: int, *, now: datetime
) -> None:
    """Give a member a shift, and tell whoever had offered it. raises Mistake, and nothing is changed

    Whoever stands there comes: where places are not counted, that is a yes.
    """
    taken = shifts.take(session, event, shift_id, member_id, now=now)
    given = answers.find(session, id_of(event), member_id)
    if event.capacity is None and event.ends_at > now and not (given and given.coming):
        answers.give(session, event, member_id, Wish(Answer.YES), now=now)
    if taken.from_member is not None:
        tell(session, settings, event, taken.from_member, about_shift("taken", event, taken.shift), now=now)


def about_shift(what: str, event: Event, was: Shift, shift: Shift | None = None) -> News:
    """Return what a letter tells of a shift. `what`: as in its template; `shift`: what there is instead."""
    return News("shift", partial(_shift_words, what, event.zone, was, shift))


def _shift_words(what: str, zone: str, was: Shift, shift: Shift | None, language: str) -> dict[str, object]:
    return {
        "what": what,
        "was": {"when": wording.shift_when(was, zone, language), "place": was.place},
        "shift": {"when": wording.shift_when(shift, zone, language), "place": shift.place} if shift else None,
    }


def tell(session: Session, settings: Settings, event: Event, member_id: int, news: News, *, now: datetime) -> None:
    """Post one member a letter about their answer to an event; its link opens their page of that event.

    It mends their calendar too, where that is said otherwise by now.
    Its key says neither who nor what: keys stay when answers are deleted.
    """
    query = sa.select(col(Member.language), col(Member.plain_only)).where(col(Member.id) == member_id)
    reader = session.execute(query).one()
    language = spoken(reader.language, settings.site.language)
    details = details_of(session, event)
    entry = entries.enter(session, event, details, member_id) if news.letter != "shift" else None
    if entry is None and news.only_with_entry:
        return
    said = {"title": details.title, "when": wording.when(details, language), "place": details.place}
    page = f"{settings.site.base_url}/e/{id_of(event)}"
    letter = LetterToOne(
        key=f"{news.letter}:{secrets.token_hex(12)}",
        letter=news.letter,
        publication=settings.events_only or settings.digest.publication,
        member_id=member_id,
        language=language,
        content=said
        | dict(news.content(language))
        | calendars.enclosed(settings, event, details, entry, page=page, language=language),
        number=id_of(event),
        plain_only=reader.plain_only,
    )
    useless_after = news.until - now if news.until else max(event.ends_at - now, settings.outbox.lease)
    post(session, letter, give_up_after=min(settings.outbox.give_up_after, useless_after), now=now)
