"""Fetches the sources whose turn it is."""

from datetime import datetime
from functools import partial

import structlog

from mailer.app import App
from mailer.news import sources

log = structlog.get_logger()


def fetch_news(app: App, now: datetime) -> None:
    """Fetch what is due. Each source is a job of its own, so that a slow one holds up no other."""
    if not app.settings.sources:
        return
    with app.reading() as session:
        due = sources.due(session, app.settings, now)
    app.queue.hand_out(fetch_source.__name__, due, partial(fetch_source, app, now))


def fetch_source(app: App, now: datetime, name: str) -> None:
    """Fetch one source, unless somebody just does or did."""
    with app.writing() as session:
        if not sources.claim(session, app.settings, name, now):
            return
    with sources.open_tools(app.settings, app.data) as tools:
        [report] = sources.fetch([name], app.settings, tools, app.writing, now=now)
    if report.error:
        log.warning("source is broken", source=name, reason=str(report.error))
