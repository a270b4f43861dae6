"""Sends the campaigns whose time has come."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.campaigns.letter import Post
from mailer.campaigns.sending import send_due
from mailer.queue import DELIVER

log = structlog.get_logger()


def keep_campaigns(app: App, now: datetime) -> None:
    """Plan what is approved and due. Nothing is remembered between rings: unique keys say what was done."""
    for planned in send_due(Post(app.engine, app.settings, app.links), now):
        app.queue.defer(DELIVER, key=planned.key)
        log.info("campaign planned", key=planned.key, candidates=planned.candidates, left=planned.left)
