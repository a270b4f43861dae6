"""A calendar entry by mail to whoever says yes, and another that takes it out when they come no more.

By the clock, not by the page: who presses yes, no and yes again gets one letter.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.events import entries
from mailer.events.models import Event
from mailer.members.places import AT_ONCE, News, tell


def unsettled(session: Session, now: datetime) -> list[Event]:
    """Return the events, not over yet, that are not in somebody's calendar as they answered."""
    asked = select(Event).where(col(Event.ends_at) > now, col(Event.id).in_(entries.unsettled()))
    return list(session.exec(asked.order_by(col(Event.id))))


def settle(session: Session, settings: Settings, event: Event, *, now: datetime) -> int:
    """Post AT_ONCE of them a letter that mends it. Returns for how many it is settled."""
    members = entries.due(session, event, most=AT_ONCE)
    for member in members:
        tell(session, settings, event, member, News("coming", only_with_entry=True), now=now)
    return len(members)
