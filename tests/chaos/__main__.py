"""A long run of the chaos harness: `make chaos`.

--seed repeats what was drawn; at which moments it falls is up to the machine.
"""

import argparse
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.chaos.afflictions import afflict
from tests.chaos.siege import Siege, besieged
from tests.postgres import Cluster

MEMBERS = 600
BEGAN = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args()
    _say(f"seed {chosen.seed}, {chosen.kills} kills, {chosen.database}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started and mounted is cleared up
    with (
        tempfile.TemporaryDirectory(prefix="utskick-chaos-") as name,
        _server(chosen.database) as cluster,
        besieged(Path(name), chosen.seed, members=MEMBERS, cluster=cluster, say=_say) as siege,
    ):
        found = _run(siege, chosen.kills)
        _report(siege)
        if found:
            _say(siege.log.read_text()[-20000:])
    _say("\n".join(found) or "Every recipient is accounted for.")
    again = f"--seed {chosen.seed} --kills {chosen.kills} --database {chosen.database}"
    _say(f"To draw the same again: make chaos ARGS='{again}'")
    return 1 if found else 0


@contextmanager
def _server(database: str) -> Iterator[Cluster | None]:
    if database == "sqlite":
        yield None
        return
    cluster = Cluster()
    try:
        yield cluster
    finally:
        cluster.stop()


def _run(siege: Siege, kills: int) -> list[str]:
    try:
        afflict(siege, kills=kills)
        siege.finish()
    except AssertionError as fault:
        return [str(fault)]
    return siege.faults()


def _report(siege: Siege) -> None:
    for affliction, times in Counter(siege.tally.afflictions).most_common():
        _say(f"{times:6} x {affliction}")
    account = siege.account()
    numbers = Counter(account.books.values())
    _say(f"{siege.tally.kills} kills, {siege.tally.busy} of workers with letters in hand")
    _say(f"{len(account.acceptances)} accepted; in the books: {dict(numbers)}")
    _say(f"{numbers['uncertain']} uncertain; the run explains {account.bound}")
    if waits := siege.tally.waits:
        _say(f"pause and cancel of live workers took {median(waits):.2f} s in the median, {max(waits):.2f} s at most")


def _say(line: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
