"""Asking for background work. A job is a wake-up, "look for work": the rows decide what there is to do.

So a wake-up may be lost or come twice, and it carries nothing but an opaque key. On SQLite the jobs run in the process
that keeps the clock; on PostgreSQL they go through Procrastinate to the workers of every machine.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import sqlalchemy as sa

DELIVER = "deliver"  # letters are due: whoever delivers looks for them each second too, so it is only sooner


class Queue(Protocol):
    def defer(self, job: str, *, key: str = "") -> None:
        """Ask for `job` to be run soon by whoever can. One that waits already under the same key is enough."""

    def hand_out(self, job: str, keys: Sequence[str], run: Callable[[str], None]) -> None:
        """Let `job` be done for each of `keys`, by whoever can; in this process it is `run(key)`."""

    def sweep(self) -> None:
        """Clear away what dead workers left in the queue."""

    def close(self) -> None:
        """Let go of the database."""


class InProcess:
    """The side of SQLite. Where nobody attends, as in a command, the running installation finds the work itself."""

    def __init__(self) -> None:
        self._run: Callable[[str, str], None] | None = None

    def attend(self, run: Callable[[str, str], None]) -> None:
        """Let `run(job, key)` start what is deferred in this process from now on."""
        self._run = run

    def defer(self, job: str, *, key: str = "") -> None:
        if self._run is not None and job != DELIVER:
            self._run(job, key)

    def hand_out(self, job: str, keys: Sequence[str], run: Callable[[str], None]) -> None:
        """One after the other, so that the machine's other work goes on beside it."""
        del job
        for key in keys:
            run(key)

    def sweep(self) -> None:
        """Nothing outlives the process."""

    def close(self) -> None:
        self._run = None


def open_queue(engine: sa.Engine) -> Queue:
    """Return the side that fits the database."""
    if engine.dialect.name == "sqlite":
        return InProcess()
    from mailer.queue.postgresql import Procrastinated  # noqa: PLC0415  # of the extra `postgres`

    return Procrastinated(engine)
