"""Sends what the ladders of events ask for, and what changed."""

from datetime import datetime

import structlog

from mailer.app import App
from mailer.operators import book
from mailer.operators.about_events import Clearance, key_of
from mailer.outbox.batches import Terms
from mailer.queue import DELIVER
from mailer.reminders.keeping import keep

log = structlog.get_logger()


def keep_reminders(app: App, now: datetime) -> None:
    """Do what is due about every event. Nothing is remembered between rings: unique keys say what was done.

    What is due and waits for another operator is asked for once; the people in charge are told by a job of its own.
    """
    clearance = Clearance(app.approving, now)
    for planned in keep(clearance.planner, app.digests_about, Terms(app.settings.outbox.lease)):
        app.queue.defer(DELIVER, key=planned.key)
        log.info("letter about an event planned", key=planned.key, candidates=planned.candidates)
    ask_for(app, clearance, now)


def ask_for(app: App, clearance: Clearance, now: datetime) -> None:
    """Open a request for what waits and nobody asked for."""
    for event in sorted(clearance.unasked):
        book.ask_unasked(app.approving, key_of(event), now=now)
