"""Answers the sign-ups that a crash left unanswered, as a page does itself, and forgets those nobody confirmed."""

from datetime import datetime, timedelta

from mailer.app import App
from mailer.members import sign_ups
from subscribers import joining

_A_WHILE = timedelta(minutes=1)  # in which the page does it by itself
_AT_ONCE = 100


def keep_sign_ups(app: App, now: datetime) -> None:
    """Post what is missing, each in a transaction of its own, and delete what is too old."""
    with app.reading() as session:
        left = joining.unanswered(session, before=now - _A_WHILE, most=_AT_ONCE)
    for number in left:
        with app.writing() as session:
            sign_ups.answer(session, number, app.settings, now)
    with app.writing() as session:
        joining.forget(session, before=now - app.settings.retention.sign_ups, most=_AT_ONCE)
