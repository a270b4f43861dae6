"""Procrastinate, the task queue in PostgreSQL: workers are woken by LISTEN/NOTIFY, and ask every few seconds too."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import procrastinate
import psycopg
import sqlalchemy as sa
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from psycopg_pool import NullConnectionPool

UNREACHABLE = (ConnectorException, psycopg.Error, OSError)
_PATIENCE = 5.0  # seconds for a connection
_KEEP_FAILED = 7 * 24  # hours
log = structlog.get_logger()


def _options(engine: sa.Engine) -> dict[str, Any]:
    """Return what psycopg needs to connect as `engine` does."""
    _, options = engine.dialect.create_connect_args(engine.url)
    return dict(options)


def open_tasks(engine: sa.Engine) -> procrastinate.App:
    """Return the working side, to be opened with `open_async`."""
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(kwargs=_options(engine), min_size=1, timeout=_PATIENCE)
    )


class Procrastinated:
    """The asking side: any process, from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        # Connects when asked to, and keeps nothing: a command may ask once, and a clock asks once a minute.
        self._pool = NullConnectionPool(kwargs=_options(engine), timeout=_PATIENCE, open=True)
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._app.open(self._pool)

    def defer(self, job: str, *, key: str = "") -> None:
        """A wake-up that cannot be sent is logged: the sweep finds the work within a minute."""
        try:
            task = self._app.configure_task(job, allow_unknown=True, queueing_lock=f"{job}:{key}")
            task.defer(key=key)
        except AlreadyEnqueued:
            return
        except UNREACHABLE as error:
            log.warning("job could not be deferred", job=job, reason=type(error).__name__)

    def hand_out(self, job: str, keys: Sequence[str], run: Callable[[str], None]) -> None:
        """A job for each, unless one waits already."""
        del run
        for key in keys:
            self.defer(job, key=key)

    def sweep(self) -> None:
        """Take away jobs whose worker died (they stay in `doing`), and failures that nobody looks at any more."""
        try:
            asyncio.run(self._sweep())
        except UNREACHABLE as error:
            log.warning("queue could not be swept", reason=type(error).__name__)

    async def _sweep(self) -> None:
        app = open_tasks(self._engine)
        async with app.open_async():
            for job in await app.job_manager.get_stalled_jobs():
                await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
            await app.job_manager.delete_old_jobs(_KEEP_FAILED, include_failed=True)

    def close(self) -> None:
        self._pool.close()
