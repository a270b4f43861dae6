import os
import signal
import subprocess
import sys
from pathlib import Path

from mailer.jobs.processes import Workers
from tests.waiting import wait_until

# A worker that notes its pid, and finishes properly on SIGTERM or when its tether is cut.
WORKER = """
import os, pathlib, select, signal, sys
folder = pathlib.Path(sys.argv[1])
def finish(*_):
    (folder / f"{os.getpid()}.finished").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, finish)
(folder / f"{os.getpid()}.started").touch()
select.select([sys.stdin], [], [])
finish()
"""

PARENT = """
import sys, threading
from mailer.jobs.processes import Workers
from tests.waiting import wait_until
Workers([sys.executable, "-c", *sys.argv[1:]], 1)
threading.Event().wait()
"""


def started(folder: Path) -> set[int]:
    return {int(path.stem) for path in folder.glob("*.started")}


def test_every_worker_finishes_what_it_does_when_the_crew_stops(tmp_path: Path):
    workers = Workers([sys.executable, "-c", WORKER, str(tmp_path)], 2)
    wait_until(lambda: len(started(tmp_path)) == 2)

    workers.stop()

    assert len(list(tmp_path.glob("*.finished"))) == 2


def test_a_worker_that_fell_is_started_again(tmp_path: Path):
    workers = Workers([sys.executable, "-c", WORKER, str(tmp_path)], 1, rest=0.0)
    wait_until(lambda: len(started(tmp_path)) == 1)
    (first,) = started(tmp_path)

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(started(tmp_path)) == 2)

    workers.stop()


def test_workers_finish_by_themselves_when_the_one_who_started_them_is_killed(tmp_path: Path):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, WORKER, str(tmp_path)])  # noqa: S603  # our own
    wait_until(lambda: len(started(tmp_path)) == 1)

    parent.kill()
    parent.wait()

    wait_until(lambda: len(list(tmp_path.glob("*.finished"))) == 1)
