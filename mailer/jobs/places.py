"""Places at events that have become free, shifts that were moved or are near, and what changed since an answer."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from mailer.app import App
from mailer.events.models import Event
from mailer.jobs.reminders import ask_for
from mailer.members import answered, entries, places
from mailer.operators.about_events import Clearance


def keep_places(app: App, now: datetime) -> None:
    """Give places, tell of shifts and changes, mend calendars. The rows decide: a second ring finds nothing to do."""
    clearance = Clearance(app.approving, now)
    _settle(app, places.unsettled, places.settle, now)
    _settle(app, partial(answered.untold, settings=app.settings, may_go=clearance.may_go), answered.settle, now)
    _settle(app, entries.unsettled, entries.settle, now)
    ask_for(app, clearance, now)


def _settle(
    app: App, find: Callable[[Session, datetime], list[Event]], settle: Callable[..., int], now: datetime
) -> None:
    """Settle each event as it was found: one that is changed meanwhile is looked at again in a minute."""
    with app.reading() as session:
        events = [(event.id, event.sequence) for event in find(session, now)]
    for number, sequence in events:
        posted = 1
        while posted:
            with app.writing() as session:
                event = session.get_one(Event, number)
                posted = settle(session, app.settings, event, now=now) if event.sequence == sequence else 0
