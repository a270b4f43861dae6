"""Fetches the sources whose turn it is."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.news import sources

log = structlog.get_logger()


def fetch_news(app: App, now: datetime) -> None:
    """Fetch what is due. A source is claimed first, so two clocks do not both ask; one that breaks stops no other."""
    if not app.settings.sources:
        return
    with app.writing() as session:
        due = sources.claim_due(session, app.settings, now)
    if not due:
        return
    with sources.open_tools(app.settings, app.data) as tools:
        reports = sources.fetch(due, app.settings, tools, app.writing, now=now)
    for report in reports:
        if report.error:
            log.warning("source is broken", source=report.source, reason=str(report.error))
