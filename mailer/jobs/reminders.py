"""Sends what the ladders of events ask for, and what changed."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.outbox.batches import Terms
from mailer.queue import DELIVER
from mailer.reminders.keeping import keep
from mailer.reminders.plan import Planner

log = structlog.get_logger()


def keep_reminders(app: App, now: datetime) -> None:
    """Do what is due about every event. Nothing is remembered between rings: unique keys say what was done."""
    planner = Planner(app.engine, app.settings, app.links, now)
    for planned in keep(planner, app.digests_about, Terms(app.settings.outbox.lease)):
        app.queue.defer(DELIVER, key=planned.key)
        log.info("letter about an event planned", key=planned.key, candidates=planned.candidates)
