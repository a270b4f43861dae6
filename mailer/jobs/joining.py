"""Answers the sign-ups that a crash left unanswered; a page answers its own as soon as it is sent."""

from datetime import datetime, timedelta

from mailer.app import App
from mailer.members import sign_ups
from subscribers import joining

_A_WHILE = timedelta(minutes=1)  # in which the page does it by itself
_AT_ONCE = 100


def keep_sign_ups(app: App, now: datetime) -> None:
    """Post what is missing, each in a transaction of its own."""
    with app.reading() as session:
        left = joining.unanswered(session, before=now - _A_WHILE, most=_AT_ONCE)
    for number in left:
        with app.writing() as session:
            sign_ups.answer(session, number, app.settings, now)
