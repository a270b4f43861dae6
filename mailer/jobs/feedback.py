"""Takes what servers refused into the book, and looks at runs that go wrong."""

from datetime import datetime, timedelta

from mailer.app import App
from mailer.feedback import book, refusals, runs, told

LOOK_BACK = timedelta(minutes=15)  # longer than this job is ever late: it looks right after it took something in


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
