"""The alarm clock: it only says when. What is due is read from the database, so a ring may be missed or doubled.

Any number of clocks may run. On PostgreSQL one of them is active and the others stand by; it defers what the workers
do, and each minute is also the sweep that finds work whose job died. On SQLite the clock does the work itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from mailer import db
from mailer.app import App
from mailer.errors import UtskickError
from mailer.jobs import JOBS
from mailer.queue import DELIVER, InProcess

_LOOK = 1.0  # seconds between a standing-by clock's looks, and between looks whether we are the active one still
_ALARM = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
log = structlog.get_logger()


@contextmanager
def start_clock(app: App) -> Iterator[None]:
    """Keep the clock while the block runs."""
    told = threading.Event()
    keeper = threading.Thread(target=keep, args=(app, told), name="clock")
    keeper.start()
    try:
        yield
    finally:
        told.set()
        keeper.join()


def keep(app: App, told: threading.Event) -> None:
    """Ring whenever no other clock does, until `told`."""
    standing_by = False
    while not told.is_set():
        try:
            with db.turn(app.engine, "clock") as ours:
                if ours():
                    _ring_while(app, ours, told)
                elif not standing_by:
                    log.info("another clock is active: this one stands by")
                standing_by = True
        except UtskickError as error:
            log.warning("clock could not look", reason=str(error))
        told.wait(_LOOK)


def _ring_while(app: App, ours: db.Ours, told: threading.Event) -> None:
    log.info("this clock is active")
    scheduler = _start(app)
    try:
        while ours() and not told.wait(_LOOK):
            pass
    finally:
        scheduler.shutdown()


def _start(app: App) -> BackgroundScheduler:
    """Ring every job once now, for what was missed while down, and then at each full minute."""
    clock = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(len(JOBS) + 1)}, timezone=app.settings.site.zone
    )
    if isinstance(app.queue, InProcess):
        alarms = {job.__name__: partial(ring, job, app) for job in JOBS}
        app.queue.attend(lambda job, key: _soon(clock, f"{job} for {key}", alarms[job]))
    else:
        alarms = {"sweep": partial(sweep, app)}
    for name, call in alarms.items():
        _soon(clock, f"{name} at start", call)
        clock.add_job(call, CronTrigger(second=0), **_ALARM, id=name)
    clock.start()
    return clock


def _soon(clock: BackgroundScheduler, name: str, call: Callable[[], None]) -> None:
    clock.add_job(call, **_ALARM, id=name, replace_existing=True)


def sweep(app: App) -> None:
    """Wake somebody for every kind of work, whatever became of earlier jobs."""
    app.queue.sweep()
    for name in (DELIVER, *(job.__name__ for job in JOBS)):
        app.queue.defer(name)


def ring(job: Callable[..., None], app: App, *key: str) -> None:
    """Run one job, or the piece of one that `key` names. One that fails is logged and rings again; the others go on."""
    try:
        job(app, app.now(), *key)
    except UtskickError as error:
        log.warning("job could not finish", job=job.__name__, reason=str(error))
    except Exception:
        log.exception("job failed", job=job.__name__)
