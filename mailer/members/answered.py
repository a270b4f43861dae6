"""What changed of an event, told to those who answered or have a shift and read no publication that tells it.

A letter to them alone comes after the letters to many, so that nobody is told by two; what it told is noted with the
answer. It is no newsletter: it tells of what its reader signed up for, so it goes also to who subscribes to nothing.
"""

from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.events import answers, shifts
from mailer.events.models import Event
from mailer.events.rows import id_of
from mailer.members.places import AT_ONCE, News, tell
from mailer.reminders import decide, gather
from mailer.reminders.contents import changes
from mailer.reminders.dossier import Dossier
from mailer.reminders.plan import MayGo


def untold(session: Session, now: datetime, *, settings: Settings, may_go: MayGo) -> list[Event]:
    """Return the events, not over yet, that were said otherwise since somebody answered or took a shift.

    Not those that somebody may still be changing, nor those whose letters wait for approval, which may take counting a
    register: nobody who writes waits for that.
    """
    asked = sa.and_(col(Event.ends_at) > now, col(Event.id).in_(answers.seen_before()))
    events = session.exec(select(Event).where(asked).order_by(col(Event.id))).all()
    return [event for event in events if _is_to_tell(session, settings, event, may_go, now)]


def _is_to_tell(session: Session, settings: Settings, event: Event, may_go: MayGo, now: datetime) -> bool:
    [dossier] = gather.dossiers(session, now, only=id_of(event))
    settled = decide.is_settled(dossier, settings.events.quiet, now)
    return settled and bool(_misled(session, settings, dossier, now)) and may_go(session, dossier)


def settle(session: Session, settings: Settings, event: Event, *, now: datetime) -> int:
    """Tell AT_ONCE of them what changed. Returns how many letters were posted."""
    [dossier] = gather.dossiers(session, now, only=id_of(event))
    telling = sorted(_misled(session, settings, dossier, now).items())[:AT_ONCE]
    for member, was in telling:
        tell(session, settings, event, member, News("answered", partial(_words, dossier, was)), now=now)
    answers.note_told(session, event, [member for member, _ in telling])
    return len(telling)


def _misled(session: Session, settings: Settings, dossier: Dossier, now: datetime) -> dict[int, int]:
    """Return by member the revision they know, of those who may come and whom no publication tells of another one."""
    seen = gather.answers(session, dossier.id).seen
    if now >= decide.until(dossier.news, dossier.details):  # it has begun: who still has a shift before them
        theirs = shifts.taken_by(session, dossier.id)
        seen = {member: seen[member] for member, own in theirs.items() if own[-1].starts_at > now}
    elif _publications_first(settings, dossier, {*seen.values()}, now):
        return {}
    connection = session.connection()
    told = gather.last_told(connection, dossier, seen)
    tells = gather.told_beside(connection, decide.told_in(dossier, dossier.news))
    return {one: told[one] - 1 for one in seen if dossier.outdated(told[one] - 1) and not tells[one]}


def _publications_first(settings: Settings, dossier: Dossier, seen: set[int], now: datetime) -> bool:
    first = settings.events.publication
    to_open = {*settings.to_subscribe}.intersection(decide.to_tell(dossier, first, seen, now))
    return bool(to_open) or any(letter.step == dossier.news for letter in decide.unplanned(dossier))


def _words(dossier: Dossier, was: int, language: str) -> dict[str, object]:
    again = dossier.revisions[was].where.cancelled
    return {
        "what": "cancelled" if dossier.cancelled else "again" if again else "changed",
        "changes": [] if dossier.cancelled else changes(gather.as_it_was(dossier, was), dossier.details, language),
    }
