"""How many one-click unsubscribes the pages take while a mailing is being sent, each of them on disk before its 200.

The client is wrk; every POST has a token of its own. The workers send to a minimal mail server meanwhile. The goal is
500 a second without an error; a busy machine shows in the seconds of CPU, so those are printed too.

    python -m benchmarks.rush --sink PROGRAM [--seconds N] [--connections N] [--database sqlite|postgresql]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import sqlalchemy as sa
from sqlmodel import col

from benchmarks.delivery import stores
from benchmarks.delivery.senders import WORKERS
from benchmarks.delivery.servers import minimal_sink
from benchmarks.delivery.stage import Installation
from benchmarks.delivery.stores import Store
from mailer import db
from mailer.links import Purpose
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from subscribers.models import Consent, ConsentKind, Subscription

GOAL = 500  # one-click POSTs a second
_SCRIPT = Path(__file__).with_name("one_click.lua")
_THREADS = 2  # of wrk
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rush:
    """What came of one rush. `median` and `late` (the 99th percentile) in seconds, `cpu` in seconds per request."""

    good: int
    failed: int
    seconds: float
    median: float
    late: float
    cpu: float
    on_disk: int
    sent: int

    @property
    def rate(self) -> float:
        return self.good / self.seconds


def main() -> None:
    options = _options()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: run `apt-get install wrk`.")
    print(f"one-click POSTs by wrk, {options.connections} connections, {options.seconds} seconds\n")
    heads = ("POSTs/s", "of goal", "failed", "median", "99 %", "CPU/POST", "on disk", "letters/s")
    print(f"  {'':<30}" + "".join(f"{head:>11}" for head in heads))
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="utskick-bench-")))
        folder.chmod(0o755)  # PostgreSQL may run as another user
        available: dict[str, Callable[[], Store]] = {
            "sqlite": lambda: stores.Sqlite(folder / "sqlite"),
            "postgresql": lambda: resources.enter_context(stores.postgresql(folder / "postgresql")),
        }
        for name in options.database or available:
            store = available[name]()
            store.build(options.members)
            for sending in (False, True):
                _report(
                    f"{store.name}, {'while sending' if sending else 'nothing else'}", _rush(store, sending, options)
                )


def _rush(store: Store, sending: bool, options: argparse.Namespace) -> Rush:  # noqa: FBT001  one of two rows
    with store.fresh() as installation, ExitStack() as running:
        tokens = _write_tokens(installation, options.members)
        pages, port = running.enter_context(_pages(installation))
        if sending:
            smtp = running.enter_context(minimal_sink(options.sink).running())
            workers = running.enter_context(_workers(installation, smtp))
        urlopen(f"http://127.0.0.1:{port}/").close()  # nobody measures how a server starts
        before = _cpu(pages)
        told = _wrk(port, tokens, options)
        used = _cpu(pages) - before
        if sending and not all(worker.poll() is None for worker in workers):
            print("  (the mailing was sent before the rush ended: take more members)")
        on_disk, sent = _found(installation)
        good, failed = told["good"], told["bad"] + told["broken"]
        return Rush(good, failed, told["seconds"], told["median"], told["late"], used / max(good, 1), on_disk, sent)


def _report(name: str, rush: Rush) -> None:
    lost = rush.good - rush.on_disk  # what was under way when wrk stopped may be on disk beside
    cells = (
        f"{rush.rate:,.0f}",
        f"{rush.rate / GOAL:.2f}",
        f"{rush.failed}",
        f"{rush.median * 1e3:.0f} ms",
        f"{rush.late * 1e3:.0f} ms",
        f"{rush.cpu * 1e6:,.0f} us",
        "all" if lost <= 0 else f"{lost} LOST",
        f"{rush.sent / rush.seconds:,.0f}",
    )
    print(f"  {name:<30}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


def _write_tokens(installation: Installation, members: int) -> Path:
    """Write a file of unsubscribe tokens for each thread of wrk, whose members are in no order."""
    app = installation.app()
    with app.reading() as session:
        mailing = session.scalars(sa.select(col(Mailing.id))).one() or 0
    tokens = [app.links.tokens.make(Purpose.UNSUBSCRIBE, member, mailing) for member in range(1, members + 1)]
    app.close()
    folder = installation.folder / "tokens"
    folder.mkdir()
    for thread in range(_THREADS):
        (folder / str(thread + 1)).write_text("\n".join(sorted(tokens[thread::_THREADS])))
    return folder


@contextmanager
def _pages(installation: Installation) -> Iterator[tuple[int, int]]:
    """Serve the pages. Yields their process and port."""
    command = [sys.executable, "-m", "benchmarks.rush.serving", str(installation.folder), installation.database]
    with (installation.folder / "pages.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.communicate()


@contextmanager
def _workers(installation: Installation, port: int) -> Iterator[Sequence[subprocess.Popen[str]]]:
    """Begin to send the mailing; whoever still sends at the end is stopped."""
    command = [sys.executable, "-m", "benchmarks.delivery.worker", str(installation.folder), installation.database]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    workers = [subprocess.Popen([*command, str(port), "5"], text=True, **pipes) for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdin is not None
        worker.stdout.readline()
        worker.stdin.write("go\n")
        worker.stdin.flush()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
            worker.communicate()


def _wrk(port: int, tokens: Path, options: argparse.Namespace) -> dict[str, float]:
    load = ["-t", str(_THREADS), "-c", str(options.connections), "-d", f"{options.seconds}s", "--timeout", "10s"]
    command = ["wrk", *load, "-s", str(_SCRIPT), f"http://127.0.0.1:{port}", "--", str(tokens)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told: dict[str, float] = json.loads(printed.splitlines()[-1])
    return told


def _found(installation: Installation) -> tuple[int, int]:
    """Return how many left, with the evidence of it, and how many letters were sent."""
    engine = installation.app().bare_engine
    left = sa.select(sa.func.count()).where(
        col(Subscription.ended_at).is_not(None),
        sa.exists().where(
            col(Consent.member_id) == col(Subscription.member_id), col(Consent.kind) == ConsentKind.WITHDRAWN
        ),
    )
    sent = sa.select(sa.func.count()).where(col(Delivery.state) == DeliveryState.SENT)
    with db.reading(engine) as session:
        found = session.scalar(left) or 0, session.scalar(sent) or 0
    engine.dispose()
    return found


def _cpu(process: int) -> float:
    """Return the seconds that a process and its threads have used, from /proc/PID/stat."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sink", type=Path, required=True, help="benchmarks/sink.c, compiled")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--members", type=int, default=60_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append", help="default: both")
    return parser.parse_args()


if __name__ == "__main__":
    main()
