"""What the clock does. A job is a function of (app, now) and one line of JOBS; each may ring twice or be missed.

One that finds much to do hands it out: a piece is a function of (app, now, key) and one line of PIECES.
"""

from collections.abc import Callable
from datetime import datetime

from mailer.app import App
from mailer.jobs.campaigns import keep_campaigns
from mailer.jobs.editions import keep_editions
from mailer.jobs.feedback import judge_feedback, poll_mailbox
from mailer.jobs.imports import finish_imports
from mailer.jobs.joining import keep_sign_ups
from mailer.jobs.news import fetch_news, fetch_source
from mailer.jobs.people import tell_people
from mailer.jobs.places import keep_places
from mailer.jobs.reminders import keep_reminders
from mailer.jobs.retention import keep_retention
from mailer.jobs.welcomes import send_welcomes

Job = Callable[[App, datetime], None]
Piece = Callable[[App, datetime, str], None]

JOBS: tuple[Job, ...] = (
    fetch_news,
    finish_imports,
    keep_editions,
    keep_campaigns,
    keep_reminders,
    poll_mailbox,
    judge_feedback,
    tell_people,
    keep_sign_ups,
    keep_retention,
    keep_places,
    send_welcomes,
)

PIECES: tuple[Piece, ...] = (fetch_source,)
