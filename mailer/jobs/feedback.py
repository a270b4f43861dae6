"""Takes what servers refused and what a mailbox holds into the book, and looks at runs that go wrong."""

from datetime import datetime, timedelta

import structlog

from mailer.app import App
from mailer.feedback import book, polling, refusals, runs, told
from mailer.feedback.imap import open_mailbox

LOOK_BACK = timedelta(minutes=15)  # longer than this job is ever late: it looks right after it took something in
log = structlog.get_logger()


def judge_feedback(app: App, now: datetime) -> None:
    """Make events of refused deliveries, some hundred at a time, and watch the runs they belong to."""
    while True:
        with app.reading() as session:
            events = refusals.collect(session, now=now)
        if not events:
            break
        with app.writing() as session:
            for event in events:
                book.take_in(session, event, now=now)
    with app.writing() as session:
        runs.watch(session, since=now - LOOK_BACK, now=now)
        told.forget(session, now=now)


def poll_mailbox(app: App, now: datetime) -> None:
    """Take in what is new in the mailbox of the config, if it names one."""
    if not app.settings.feedback.imap.host:
        return
    with open_mailbox(app.settings.feedback.imap) as mailbox:
        counted = polling.poll(mailbox, app.writing, app.links.tokens, now=now)
    if counted:
        log.info("mailbox was read", **{what.name.lower(): number for what, number in counted.items()})
