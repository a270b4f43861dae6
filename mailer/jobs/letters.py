"""Forgets what old letters said: their web pages end."""

from datetime import datetime

from mailer.app import App
from mailer.outbox import kept

_AT_ONCE = 200  # rows of a transaction: nobody who writes beside us waits long


def forget_letters(app: App, now: datetime) -> None:
    """Forget, some at a time, what is kept longer than `[retention] letters`."""
    forgotten = _AT_ONCE
    while forgotten == _AT_ONCE:
        with app.writing() as session:
            forgotten = kept.forget(session, before=now - app.settings.retention.letters, most=_AT_ONCE)
