"""How fast a mailing goes out, as ratios to Postfix's load generator `smtp-source` in the same run.

Every recipient has a sealed name and address, a row in the database and links of their own; whether they may be
written to is asked when they are sent to; 300 contents of 31 kB. Medians of interleaved rounds. Never a timed test:
the machine may be busy, and then the ratios are still about right.

    python -m benchmarks.delivery --sink PROGRAM [--quick | --million] [--rounds N] [--database sqlite|postgresql]
"""

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.delivery import stage, stores
from benchmarks.delivery.processes import Run
from benchmarks.delivery.senders import Naive, Sender, Signatures, SmtpSource, Utskick
from benchmarks.delivery.servers import Sink, minimal_sink, smtp_sink
from benchmarks.delivery.stores import Store
from mailer import logs

_SIZES, _QUICK, _MILLION = (20_000, 100_000), 4_000, 1_000_000
_FAR, _FAR_MESSAGES, _FAR_CONNECTIONS = 50, 2_000, 20  # milliseconds away
_NAIVE_MESSAGES = 1_000
_SIGNATURES = 10_000
_CONNECTIONS = 10

# The least ratio to smtp-source that is promised (docs/performance.md), by database.
_NEAR_LIMIT: Mapping[str, float] = {"SQLite": 0.95, "PostgreSQL": 0.9}
_OWN_LIMIT: Mapping[str, float] = {"SQLite": 0.8, "PostgreSQL": 0.7}
_PIPELINED: Mapping[str, float] = {"SQLite": 3.0, "PostgreSQL": 3.0}

_SIGNED: Mapping[str, float] = {"DKIM alone": 0.75, "SQLite, DKIM": 0.6, "PostgreSQL, DKIM": 0.6}


@dataclass(frozen=True)
class Case:
    """One table of the report: `messages` to one kind of server."""

    messages: int
    sink: Sink
    goals: Mapping[str, float]
    connections: int = _CONNECTIONS
    naive: bool = False
    dkim: bool = False


@dataclass
class Outcome:
    """The runs of one sender, and each of them over smtp-source's of the same round."""

    runs: list[Run] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


def main() -> None:
    logs.configure(debug=False)
    options = _options()
    rounds = options.rounds or (1 if options.quick or options.million else 5)
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="utskick-bench-")))
        folder.chmod(0o755)  # PostgreSQL may run as another user
        available: dict[str, Callable[[], Store]] = {
            "sqlite": lambda: stores.Sqlite(folder / "sqlite"),
            "postgresql": lambda: resources.enter_context(stores.postgresql(folder / "postgresql")),
        }
        databases: list[Store] = [available[name]() for name in options.database or available]
        print(f"{rounds} interleaved rounds; ratios are medians of those within each round; {python()}\n")
        built = 0
        for case in _cases(options):
            if case.messages != built:
                for database in databases:
                    database.build(case.messages)
                built = case.messages
            _report(case, measure(case, databases, folder / "letter.eml", rounds))


def python() -> str:
    """Say what runs the workers: builds of one version differ by a sixth (docs/performance.md)."""
    whose = "the system's" if sys.base_prefix == "/usr" else "a build of its own"
    return f"Python {platform.python_version()}, {whose}"


def measure(case: Case, databases: Sequence[Store], letter: Path, rounds: int) -> dict[Sender, Outcome]:
    """Let all senders send in turn, `rounds` times."""
    with databases[0].fresh() as installation:
        letter.write_bytes(stage.sample(installation).replace(b"\r\n", b"\n"))
    first, *others = _signing(case, databases) if case.dkim else _sending(case, databases, letter)
    outcomes: dict[Sender, Outcome] = {sender: Outcome() for sender in (first, *others)}
    for _ in range(rounds):
        for sender, outcome in outcomes.items():
            run = sender.run(case.sink)
            outcome.runs.append(run)
            outcome.ratios.append(run.rate / outcomes[first].runs[-1].rate)
    return outcomes


def _sending(case: Case, databases: Sequence[Store], letter: Path) -> Iterator[Sender]:
    """Yield what is compared, the measure of the others first."""
    yield SmtpSource(letter, case.messages, case.connections)
    for database in databases:
        yield Utskick(database, case.messages, case.connections)
    if case.naive:
        yield Naive(databases[0], min(_NAIVE_MESSAGES, case.messages), case.connections)


def _signing(case: Case, databases: Sequence[Store]) -> Iterator[Sender]:
    yield Signatures(databases[0], "bare", min(_SIGNATURES, case.messages))
    yield Signatures(databases[0], "letters", min(_SIGNATURES, case.messages))
    for database in databases:
        yield Utskick(database, case.messages, case.connections, signs=True)


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    if options.million:
        yield Case(_MILLION, minimal_sink(options.sink), _OWN_LIMIT)
        return
    for messages in (_QUICK,) if options.quick else _SIZES:
        yield Case(messages, smtp_sink(), _NEAR_LIMIT, naive=messages < _SIZES[-1])
        yield Case(messages, minimal_sink(options.sink), _OWN_LIMIT, naive=messages < _SIZES[-1])
        if messages < _SIZES[-1]:
            yield Case(messages, minimal_sink(options.sink), _SIGNED, dkim=True)
    yield Case(_FAR_MESSAGES, minimal_sink(options.sink, _FAR), _PIPELINED, _FAR_CONNECTIONS)


def _report(case: Case, outcomes: Mapping[Sender, Outcome]) -> None:
    measure_of = "; ratios to RSA-2048 alone on all cores" if case.dkim else ""
    print(f"{case.messages:,} recipients, {case.sink.name}, {case.connections} connections{measure_of}")
    print(f"  {'':<22}  {'messages/s':>10}  {'ratio':>6}  {'promised':>8}  {'CPU/message':>11}  {'peak memory':>11}")
    for sender, outcome in outcomes.items():
        speed, ratio = median(run.rate for run in outcome.runs), median(outcome.ratios)
        cpu, peak = median(run.cpu_per_message for run in outcome.runs), max(run.peak for run in outcome.runs)
        goal = case.goals.get(sender.name.removeprefix("Utskick, "), 0.0)
        print(
            f"  {sender.name:<22}  {speed:>10,.0f}  {ratio:>6.2f}  {f'{goal:.2f}' if goal else '':>8}"
            f"  {cpu:>8,.0f} us  {f'{peak / 2**20:.0f} MB' if peak else '':>11}",
        )
    print(flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sink", type=Path, required=True, help="benchmarks/sink.c, compiled")
    parser.add_argument("--quick", action="store_true", help="one round of few messages")
    parser.add_argument("--million", action="store_true", help="a million deliveries, once")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append", help="default: both")
    return parser.parse_args()


if __name__ == "__main__":
    main()
