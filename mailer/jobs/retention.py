"""Deletes at night what is no longer needed."""

from datetime import datetime, timedelta

import structlog

from mailer import db
from mailer.app import App
from mailer.members import nights, retention
from subscribers import enrolment

log = structlog.get_logger()

_NIGHTS = timedelta(days=2)  # one may have been missed
_HOUR = 3  # on the site's clock: when the fewest write


def keep_retention(app: App, now: datetime) -> None:
    """Run every rule, once a night; a night that was missed is done when the clock is back."""
    local = now.astimezone(app.settings.site.zone)
    if local.hour < _HOUR:
        return
    with app.writing() as session:
        if not nights.claim(session, local.date(), now):
            return
    counts = retention.run(app.writing, app.settings.retention, now)
    with app.reading() as session:
        anybody = enrolment.has_forgotten(session, now - _NIGHTS)
    if anybody:
        db.forget_deleted(app.engine, *enrolment.HOLDS_TEXTS)
    with app.writing() as session:
        nights.settle(session, local.date(), counts, app.now())
    log.info("old data deleted", **{name.replace(" ", "_").replace("-", "_"): count for name, count in counts.items()})
