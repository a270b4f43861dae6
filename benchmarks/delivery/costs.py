"""What a million deliveries cost: CPU of our processes and of the database, its log and its bytes.

One digest is planned, and sent by two workers over SMTP to the minimal sink; what was measured is multiplied up to a
million. The register, and what starts the processes, is not in it.

    python -m benchmarks.delivery.costs --sink PROGRAM [--deliveries N]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks.delivery import senders, stores
from benchmarks.delivery.processes import run_together
from benchmarks.delivery.servers import Sink, minimal_sink
from benchmarks.delivery.stage import Installation
from benchmarks.delivery.stores import Store
from mailer import logs

_MILLION, _MEGABYTE = 1_000_000, 1_000_000
_CONNECTIONS = 10
_TICKS = 100  # a second, of /proc/*/stat on Linux


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU, and bytes; `server` and `log` are PostgreSQL's."""

    client: float = 0.0
    server: float = 0.0
    log: int = 0
    stored: int = 0

    def minus(self, before: "Cost") -> "Cost":
        return Cost(
            self.client - before.client,
            self.server - before.server,
            self.log - before.log,
            self.stored - before.stored,
        )


class Meter:
    """Reads what was spent on one database so far; `client` is this process's own."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def read(self) -> Cost:
        if self._engine.dialect.name == "sqlite":
            file = Path(self._engine.url.database or "")
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return Cost(time.process_time(), stored=file.stat().st_size)
        with self._engine.connect() as connection:
            log, stored, backend = connection.exec_driver_sql(
                "SELECT pg_current_wal_lsn() - '0/0', pg_database_size(current_database()), pg_backend_pid()"
            ).one()
            return Cost(time.process_time(), _cpu_of_server(backend), int(log), stored)

    @contextmanager
    def measured(self, costs: list[Cost]) -> Iterator[None]:
        before = self.read()
        yield
        costs.append(self.read().minus(before))
        self._engine.dispose()


def main() -> None:
    logs.configure(debug=False)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sink", type=Path, required=True)
    parser.add_argument("--deliveries", type=int, default=100_000)
    options = parser.parse_args()
    sink = minimal_sink(options.sink)
    with tempfile.TemporaryDirectory(prefix="utskick-costs-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        print(f"{options.deliveries} deliveries, times {_MILLION / options.deliveries:g}\n")
        print("| per million deliveries | client CPU | server CPU | write-ahead log | stored |")
        print("|---|---|---|---|---|")
        _report(stores.Sqlite(folder / "sqlite"), options.deliveries, sink)
        with stores.postgresql(folder / "postgresql") as server:
            _report(server, options.deliveries, sink)


def _report(store: Store, deliveries: int, sink: Sink) -> None:
    costs: list[Cost] = []
    store.build(deliveries, lambda url: Meter(url).measured(costs))
    with store.fresh() as installation, sink.running() as port:
        costs.append(_send(installation, deliveries, port))
    for what, cost in zip(("planned", "sent"), costs, strict=True):
        print(_row(f"{what}, {store.name}", cost, _MILLION / deliveries), flush=True)


def _send(installation: Installation, deliveries: int, port: int) -> Cost:
    costs: list[Cost] = []
    with Meter(installation.database).measured(costs):
        run = run_together(senders.workers(installation, port, _CONNECTIONS), deliveries)
    senders.require_all_sent(installation, deliveries)
    spent = costs[0]
    return Cost(sum(account.cpu for account in run.accounts), spent.server, spent.log, spent.stored)


def _row(what: str, cost: Cost, times: float) -> str:
    client, server = f"{cost.client * times:.0f} s", f"{cost.server * times:.0f} s" if cost.log else ""
    log = f"{cost.log * times / _MEGABYTE:.0f} MB" if cost.log else ""
    return f"| {what} | {client} | {server} | {log} | {cost.stored * times / _MEGABYTE:.0f} MB |"


def _cpu_of_server(backend: int) -> float:
    """Return the CPU seconds of all processes of the server that `backend` belongs to, those that ended too."""
    main = _stat(backend)[1]
    own = _stat(main)
    ticks = sum(own[11:15])  # itself, and its children that ended
    for place in Path("/proc").glob("[0-9]*"):
        try:
            found = _stat(int(place.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if found[1] == main:
            ticks += found[11] + found[12]
    return ticks / _TICKS


def _stat(pid: int) -> list[int]:
    """Return the numbers of /proc/PID/stat that follow its name and state; the state counts as 0."""
    rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, rest[1:])]


if __name__ == "__main__":
    main()
