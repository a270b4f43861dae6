"""Places at events that have become free, shifts that were moved or are near, and what changed since an answer."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from mailer.app import App
from mailer.events.models import Event
from mailer.members import answered, entries, places


def keep_places(app: App, now: datetime) -> None:
    """Give places, tell of shifts and changes, mend calendars. The rows decide: a second ring finds nothing to do."""
    _settle(app, places.unsettled, places.settle, now)
    _settle(app, answered.untold, answered.settle, now)
    _settle(app, entries.unsettled, entries.settle, now)


def _settle(
    app: App, find: Callable[[Session, datetime], list[Event]], settle: Callable[..., int], now: datetime
) -> None:
    with app.reading() as session:
        events = [event.id for event in find(session, now)]
    for number in events:
        posted = 1
        while posted:
            with app.writing() as session:
                posted = settle(session, app.settings, session.get_one(Event, number), now=now)
