"""The alarm clock: it only says when. What is due is read from the database, so a ring may be missed or doubled."""

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from mailer.app import App
from mailer.errors import UtskickError
from mailer.jobs import JOBS, Job

log = structlog.get_logger()


def start_clock(app: App) -> BackgroundScheduler:
    """Ring every job once now, for what was missed while down, and then at each full minute."""
    clock = BackgroundScheduler(executors={"default": ThreadPoolExecutor(len(JOBS))}, timezone=app.settings.site.zone)
    for job in JOBS:
        options = {"args": (job, app), "max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        clock.add_job(ring, **options, id=f"{job.__name__} at start")
        clock.add_job(ring, CronTrigger(second=0), **options, id=job.__name__)
    clock.start()
    return clock


def ring(job: Job, app: App) -> None:
    """Run one job. One that fails is logged and rings again in a minute; the others go on."""
    try:
        job(app, app.now())
    except UtskickError as error:
        log.warning("job could not finish", job=job.__name__, reason=str(error))
    except Exception:
        log.exception("job failed", job=job.__name__)
