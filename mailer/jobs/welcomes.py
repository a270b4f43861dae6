"""Posts the letters of welcome, before a digest that is planned later."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.members import welcomes

log = structlog.get_logger()


def send_welcomes(app: App, now: datetime) -> None:
    """Welcome whoever waits for it, a batch a transaction; imported members too where config says so."""
    settings = app.settings.welcome
    if not settings.enabled:
        return
    if settings.imported:
        _want_imported(app, now)
    posted = welcomes.AT_ONCE
    while posted == welcomes.AT_ONCE:
        with app.writing() as session:
            posted = welcomes.post(session, app.settings, now)


def _want_imported(app: App, now: datetime) -> None:
    publication, since = app.settings.digest.publication, now - welcomes.RECENTLY
    with app.writing() as session:
        waiting = welcomes.unwelcomed(session, publication, since=since)
        if waiting > app.settings.welcome.at_most:
            log.warning("more imported members wait for a welcome than go out by themselves", waiting=waiting)
        elif waiting:
            welcomes.want_all(session, publication, now=now, since=since)
