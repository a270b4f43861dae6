"""Finishes imports that were accepted and not applied to their end: whoever ran them is gone."""

from datetime import datetime

from mailer.app import App
from subscribers.importing import run


def finish_imports(app: App, now: datetime) -> None:
    """Apply what is left, chunk by chunk. Two who do so at once only take turns."""
    with app.reading() as session:
        unfinished = run.is_unfinished(session)
    if unfinished:
        run.finish(app.writing, now=now)
