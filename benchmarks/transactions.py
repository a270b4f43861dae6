"""How long the program's transactions hold the write lock.

A write is measured from taking the lock to the end of its commit. SQLite copies its log into the database after that,
without the lock but in the same call: here a thread of its own does it, so that it is not counted as a write.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import sqlalchemy as sa


class Write(NamedTuple):
    """How long a transaction held the write lock, its commit included: by the clock, and of CPU of its own thread."""

    seconds: float
    cpu: float


def leave_checkpoints_to_others(engine: sa.Engine) -> None:
    """Let no commit of this engine copy the log: to be called before its first connection."""
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA wal_autocheckpoint=0"))


@contextmanager
def writes_of(engine: sa.Engine) -> Iterator[list[Write]]:
    """Collect what each transaction of this thread took."""
    writes: list[Write] = []
    began: list[Write] = []

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("utskick_writing"):
            began.append(Write(time.perf_counter(), time.thread_time()))

    @sa.event.listens_for(engine, "checkin")
    def end(*_: object) -> None:
        if began:
            start = began.pop()
            writes.append(Write(time.perf_counter() - start.seconds, time.thread_time() - start.cpu))

    with _checkpoints(engine):
        yield writes


@contextmanager
def _checkpoints(engine: sa.Engine) -> Iterator[None]:
    """Copy the log into the database five times a second, as far as nobody needs it."""
    over = threading.Event()

    def work() -> None:
        with closing(sqlite3.connect(engine.url.database or "")) as connection:
            while not over.wait(0.2):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
