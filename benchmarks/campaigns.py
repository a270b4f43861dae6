"""Campaigns to many: approving one freezes its audience, sending it plans it; what either takes.

Every size is a fresh SQLite database and a letter to everyone who gets the publication. Each step runs in a process of
its own, so that its peak memory is its own.

    python -m benchmarks.campaigns [--members N ...]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from benchmarks.planning import LIMIT, SIZES, START, upgrade
from benchmarks.population import populate
from benchmarks.transactions import Write, leave_checkpoints_to_others, writes_of
from mailer import config, db
from mailer.campaigns import approving, book
from mailer.campaigns.letter import Post
from mailer.campaigns.sending import send_now
from mailer.links import Links, Tokens
from mailer.resources import resource as shipped
from subscribers import sealed

NOW = START + timedelta(hours=1)
NAME = "till-alla"
LETTER = (
    '+++\npublication = "weekly"\nsubject = ["Följ med", "Kom"]\n+++\nHej {{ member.given_name | default("vän") }}!\n'
)


@dataclass(frozen=True)
class Measured:
    members: int
    seconds: float
    cpu: float
    writes: list[Write]
    peak: int  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, nargs="+", default=SIZES)
    asked = parser.parse_args()
    print(
        f"{'step':>8}  {'members':>9}  {'seconds':>7}  {'of CPU':>6}  {'peak memory':>11}  {'writes':>6}"
        f"  {'longest':>7}  {'of CPU':>6}  {'> 200 ms':>8}"
    )
    for members in asked.members:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            upgrade(path)
            populate(path, members, START)
            for step in (approve, send):
                _print(step.__name__, _alone(step, path))


def _print(step: str, it: Measured) -> None:
    longest, dearest = max(write.seconds for write in it.writes), max(write.cpu for write in it.writes)
    print(
        f"{step:>8}  {it.members:>9,}  {it.seconds:>7.1f}  {it.cpu:>6.1f}  {it.peak / 2**20:>8.0f} MB"
        f"  {len(it.writes):>6,}  {longest * 1000:>4.0f} ms  {dearest * 1000:>3.0f} ms"
        f"  {sum(write.seconds > LIMIT for write in it.writes):>8}",
        flush=True,
    )


def _alone(step: Callable[[Path], Measured], path: Path) -> Measured:
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(step, path).result()


def approve(path: Path) -> Measured:
    """Bring a letter in, look at it and approve it."""

    def work(post: Post) -> int:
        with db.writing(post.engine) as session:
            book.bring_in(post.desk(session, NOW), NAME, [("brev.md", LETTER)], {}, who="bench")
        with db.reading(post.engine) as session:
            proposal = approving.propose(post.desk(session, NOW), book.find(session, NAME))
        approving.approve(post, NAME, who="bench", seen=proposal.standing.digest, now=NOW)
        return proposal.counted.members

    return _timed(path, work)


def send(path: Path) -> Measured:
    """Plan what was approved."""

    def work(post: Post) -> int:
        planned = send_now(post, NAME, NOW)
        assert planned is not None
        return planned.candidates

    return _timed(path, work)


def _timed(path: Path, work: Callable[[Post], int]) -> Measured:
    sealed.unlock(sealed.Keys(seal={1: bytes(32)}, seal_with=1, lookup=bytes(32)))
    settings = config.load(shipped("config.toml"), {})
    engine = db.open_engine(f"sqlite:///{path}")
    leave_checkpoints_to_others(engine)
    post = Post(engine, settings, Links(settings.site.base_url, Tokens({"a": bytes(32)}, "a")))
    with writes_of(engine) as writes:
        start, busy = time.perf_counter(), time.process_time()
        members = work(post)
        seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in kB
    return Measured(members, seconds, cpu, writes, peak)


if __name__ == "__main__":
    main()
