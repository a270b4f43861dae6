"""Running background jobs on PostgreSQL: each `utskick worker` takes what is deferred, beside delivering."""

import asyncio
from collections.abc import Callable
from functools import partial

import procrastinate
import structlog

from mailer import db
from mailer.app import App
from mailer.jobs import JOBS, PIECES, Job
from mailer.jobs.clock import ring
from mailer.queue import DELIVER
from mailer.queue.postgresql import UNREACHABLE, open_tasks

_AT_ONCE = len(JOBS)
_AFTER_TROUBLE = 5.0  # seconds
_DRAIN_WITHIN = 600.0  # seconds for a job that runs when we are told to stop; the rows remember where it was
log = structlog.get_logger()


async def attend(app: App, stop: asyncio.Event, wake: Callable[[], None]) -> None:
    """Take jobs until `stop`, then finish those begun. A database that is away is waited for.

    wake  called when letters may be due
    """
    while not stop.is_set():
        try:
            await _until(stop, _tasks(app, wake))
        except UNREACHABLE as error:
            log.warning("jobs cannot be taken", reason=type(error).__name__)
            await _wait(stop, _AFTER_TROUBLE)


async def _until(stop: asyncio.Event, tasks: procrastinate.App) -> None:
    async with tasks.open_async():
        taking = asyncio.create_task(
            tasks.run_worker_async(
                concurrency=_AT_ONCE,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=_DRAIN_WITHIN,
            )
        )
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({taking, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not taking.done():
            taking.cancel()
        await asyncio.gather(taking, return_exceptions=stop.is_set())


def _tasks(app: App, wake: Callable[[], None]) -> procrastinate.App:
    tasks = open_tasks(app.engine)

    async def deliver(key: str) -> None:
        del key
        wake()

    tasks.task(name=DELIVER)(deliver)
    for job in JOBS:
        tasks.task(name=job.__name__)(_threaded(partial(alone, job, app)))
    for piece in PIECES:
        tasks.task(name=piece.__name__)(_threaded(partial(ring, piece, app)))
    return tasks


def _threaded(call: Callable[[str], None]) -> Callable[..., object]:
    async def run(key: str) -> None:
        await asyncio.to_thread(call, key)

    return run


def alone(job: Job, app: App, _key: str = "") -> None:
    """Run a job unless it runs somewhere already: whoever runs it looks for all there is, and a minute later again."""
    with db.turn(app.engine, job.__name__) as ours:
        if ours():
            ring(job, app)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
