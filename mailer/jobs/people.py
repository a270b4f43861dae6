"""Tells the people in charge what they should know."""

import asyncio
from datetime import datetime

from mailer.app import App
from mailer.notices import tell
from mailer.notices.causes import Cause


def tell_people(app: App, now: datetime) -> None:
    """Send every notice that is due; safe to run twice at once."""
    with app.writing() as session:
        causes = tell.claim(session, app.settings, now)
    if not causes:
        return
    with app.reading() as session:
        letters = tell.write(session, causes, app.settings, attach=_nothing, now=now)
    told = asyncio.run(tell.send(letters, app.post))
    with app.writing() as session:
        tell.settle(session, told)


def _nothing(_session: object, _cause: Cause) -> tuple[tuple[str, str], ...]:
    return ()
