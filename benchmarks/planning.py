"""Planning for many members: readers a second, variants, peak memory and the longest write transaction.

Every size is a fresh SQLite database with eight earlier editions, each planned by the program itself, and 3 %
changed preferences a week; the ninth is measured, in a process of its own so that its peak memory is its own.

    python -m benchmarks.planning [--members N ...] [--keep FOLDER]

Most of the time goes to the eight earlier editions. With --keep they stay in a folder, and the next run measures the
ninth over what lies there.
"""

import argparse
import resource
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa

from benchmarks.population import a_week_passes, populate
from benchmarks.transactions import Write, leave_checkpoints_to_others, writes_of
from mailer import config, db
from mailer.config import Settings
from mailer.digest.editions import approve, draft
from mailer.digest.sending import Press, send_now
from mailer.links import Links, Tokens
from mailer.resources import resource as shipped

SIZES = (10_000, 100_000, 1_000_000)
EDITIONS = 9
LIMIT = 0.2  # seconds that nobody who writes beside us should have to wait
START = datetime(2026, 9, 24, 6, 0, tzinfo=UTC)  # a Thursday, 08:00 in Stockholm


@dataclass(frozen=True)
class Measured:
    readers: int
    variants: int
    deliveries: int
    seconds: float
    cpu: float  # seconds of this process, the checkpoints of SQLite's log included
    writes: list[Write]
    peak: int  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, nargs="+", default=SIZES)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
    print(
        f"{'members':>9}  {'readers':>9}  {'seconds':>7}  {'of CPU':>6}  {'readers/s':>9}  {'variants':>8}"
        f"  {'deliveries':>10}  {'peak memory':>11}  {'writes':>6}  {'longest':>7}  {'of CPU':>6}  {'> 200 ms':>8}"
    )
    for members in asked.members:
        it = measure(members, asked.keep)
        speed, megabytes = it.readers / it.seconds, it.peak / 2**20
        longest, dearest = max(write.seconds for write in it.writes), max(write.cpu for write in it.writes)
        print(
            f"{members:>9,}  {it.readers:>9,}  {it.seconds:>7.1f}  {it.cpu:>6.1f}  {speed:>9,.0f}  {it.variants:>8,}"
            f"  {it.deliveries:>10,}  {megabytes:>8.0f} MB  {len(it.writes):>6,}  {longest * 1000:>4.0f} ms"
            f"  {dearest * 1000:>3.0f} ms  {sum(write.seconds > LIMIT for write in it.writes):>8}",
            flush=True,
        )


def measure(members: int, keep: Path | None) -> Measured:
    """Return how the last edition went, over a population with its history in a temporary folder."""
    with tempfile.TemporaryDirectory(dir=keep) as folder:
        path = Path(folder) / "bench.db"
        kept = keep / f"{members}.db" if keep else None
        if kept and kept.exists():
            shutil.copyfile(kept, path)
            upgrade(path)
        else:
            upgrade(path)
            build(path, members)
            if kept:
                shutil.copyfile(path, kept)
        return plan_alone(path, EDITIONS - 1)


def build(path: Path, members: int) -> None:
    """Make a population and its history, up to where the last edition is drafted."""
    populate(path, members, START)
    for week in range(EDITIONS - 1):
        a_week_passes(path, members, START + timedelta(weeks=week), week)
        plan_alone(path, week)
    a_week_passes(path, members, START + timedelta(weeks=EDITIONS - 1), EDITIONS - 1)


def upgrade(path: Path) -> None:
    engine = db.open_engine(f"sqlite:///{path}")
    db.upgrade(engine)
    engine.dispose()


def plan_alone(path: Path, week: int) -> Measured:
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(plan, path, START + timedelta(weeks=week)).result()


def plan(path: Path, now: datetime) -> Measured:
    """Draft, approve and plan this week's edition."""
    settings = config.load(shipped("config.toml"), {})
    engine = db.open_engine(f"sqlite:///{path}")
    leave_checkpoints_to_others(engine)
    with db.writing(engine) as session:
        edition = draft(session, settings, "weekly", now)
        assert edition is not None
        approve(session, edition, who="bench", now=now)
        number = edition.id or 0
    return _timed(engine, settings, number, now)


def _timed(engine: sa.Engine, settings: Settings, edition: int, now: datetime) -> Measured:
    links = Links(settings.site.base_url, Tokens({"a": bytes(32)}, "a"))
    with writes_of(engine) as writes:
        start, busy = time.perf_counter(), time.process_time()
        planned = send_now(Press(engine, settings, links), edition, now)
        seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(
        readers=planned.readers,
        variants=planned.variants,
        deliveries=planned.candidates,
        seconds=seconds,
        cpu=cpu,
        writes=writes,
        peak=peak * 1024,  # Linux counts in kB
    )


if __name__ == "__main__":
    main()
