"""Importing a register: rows a second, peak memory and the longest write transaction.

A file of new members goes into a fresh SQLite database; then the same register again with 3 % changed.

    python -m benchmarks.importing [--rows N]
"""

import argparse
import resource
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session

from benchmarks.planning import START
from benchmarks.population import add_reference_lists, register_file
from benchmarks.transactions import leave_checkpoints_to_others, writes_of
from mailer import db
from subscribers import sealed
from subscribers.importing import run
from subscribers.importing.target import Policy
from subscribers.models import Ground

POLICY = Policy(publications=("weekly",), ground=Ground.MEMBER, language="sv")


@dataclass(frozen=True)
class Measured:
    planning: float  # seconds
    writing: float
    cpu: float
    longest_write: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    sealed.unlock(sealed.Keys(seal={1: bytes(32)}, seal_with=1, lookup=bytes(32)))
    print(
        f"{'rows':>9}  {'of them':>8}  {'planned':>8}  {'written':>8}  {'of CPU':>7}  {'rows/s':>7}"
        f"  {'longest write':>13}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        engine = db.open_engine(f"sqlite:///{path}")
        leave_checkpoints_to_others(engine)
        db.upgrade(engine)
        add_reference_lists(path)
        for week, word in enumerate(("new", "known")):
            it = take_in(engine, register_file(rows, week), week)
            speed = rows / (it.planning + it.writing)
            print(
                f"{rows:>9,}  {word:>8}  {it.planning:>6.1f} s  {it.writing:>6.1f} s  {it.cpu:>5.1f} s"
                f"  {speed:>7,.0f}  {it.longest_write * 1000:>10.0f} ms",
                flush=True,
            )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")  # Linux counts in kB


def take_in(engine: sa.Engine, data: bytes, week: int) -> Measured:
    """Import one file, as `utskick members import` does."""

    def transaction() -> AbstractContextManager[Session]:
        return db.writing(engine)

    file = run.MemberFile(data, "register.csv", None, {})
    with writes_of(engine) as writes:
        start, busy = time.perf_counter(), time.process_time()
        with db.reading(engine) as session:
            prepared = run.prepare(session, file, POLICY, _quiet)
        planned = time.perf_counter()
        run.carry_out(transaction, prepared, who="bench", now=START + timedelta(weeks=week), progress=_quiet)
        end, cpu = time.perf_counter(), time.process_time() - busy
    return Measured(planned - start, end - planned, cpu, max(write.seconds for write in writes))


def _quiet(step: str, done: int, total: int | None) -> None: ...


if __name__ == "__main__":
    main()
