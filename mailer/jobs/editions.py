"""Drafts this week's edition when its hour has come, and sends what is approved."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.digest import editions, sending
from mailer.digest.calendar import moment_in, period_of
from mailer.queue import DELIVER

log = structlog.get_logger()


def keep_editions(app: App, now: datetime) -> None:
    """Do what the week asks for by `now`. Nothing is remembered between rings: unique keys say what was done."""
    digest, zone = app.settings.digest, app.settings.site.zone
    if moment_in(period_of(now, zone), digest.draft, zone) <= now:
        with app.writing() as session:
            drafted = editions.draft(session, app.settings, digest.publication, now)
            if drafted:
                log.info("edition drafted", publication=drafted.publication, period=drafted.period)
    for planned in sending.send_due(app.press(), now):
        app.queue.defer(DELIVER, key=planned.key)
        log.info("edition planned", key=planned.key, candidates=planned.candidates, variants=planned.variants)
