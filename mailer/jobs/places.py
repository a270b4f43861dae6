"""Places at events that have become free and shifts that were moved, whatever did it."""

from datetime import datetime

from mailer.app import App
from mailer.events.models import Event
from mailer.members import places


def keep_places(app: App, now: datetime) -> None:
    """Give them, and tell. The rows decide: rung twice, the second time finds nothing to do."""
    with app.reading() as session:
        events = [event.id for event in places.unsettled(session, now)]
    for number in events:
        posted = 1
        while posted:
            with app.writing() as session:
                posted = places.settle(session, app.settings, session.get_one(Event, number), now=now)
