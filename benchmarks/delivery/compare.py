"""What a letter costs in this checkout and in another, a worker of each at once.

So whatever else the machine does slows both. Runs one after the other differ by more than most changes bring.

    python -m benchmarks.delivery.compare OTHER_CHECKOUT --sink PROGRAM [--rounds N] [--signed] [--python PROGRAM]
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from benchmarks.delivery.processes import begin, let_begin
from benchmarks.delivery.servers import Sink, minimal_sink
from benchmarks.delivery.stores import Sqlite

_MESSAGES, _CONNECTIONS = 20_000, 5


@dataclass(frozen=True)
class Side:
    """A checkout, the Python that runs it, and a database of its own."""

    checkout: Path
    python: str
    store: Sqlite


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="utskick-bench-") as name:
        sides = {
            "here": Side(Path.cwd(), sys.executable, Sqlite(Path(name) / "here")),
            "there": Side(options.other.resolve(), options.python, Sqlite(Path(name) / "there")),
        }
        for side in sides.values():
            side.store.build(options.messages)
        differences = []
        for number in range(options.rounds):
            order = list(sides) if number % 2 else list(sides)[::-1]  # who starts second has the busier moment
            begun = {which: sides[which] for which in order}
            cost = together(begun, minimal_sink(options.sink), options.messages, signed=options.signed)
            differences.append(cost["here"] - cost["there"])
            print(f"here {cost['here']:.1f} us, there {cost['there']:.1f} us", flush=True)
    print(f"here takes {mean(differences):+.1f} us a letter more, standard error {_error(differences):.1f}")


def together(sides: Mapping[str, Side], sink: Sink, messages: int, *, signed: bool = False) -> dict[str, float]:
    """Return the microseconds of CPU a letter of each."""
    with ExitStack() as resources:
        senders = []
        for side in sides.values():
            installation = resources.enter_context(side.store.fresh())
            port = resources.enter_context(sink.running())
            where = [str(installation.folder), installation.database, str(port), str(_CONNECTIONS)]
            command = [side.python, "-m", "benchmarks.delivery.worker", *where, *(["dkim"] if signed else [])]
            senders.append(begin(command, side.checkout))
        accounts = let_begin(senders, messages).accounts
    return {which: account.cpu / messages * 1e6 for which, account in zip(sides, accounts, strict=True)}


def _error(differences: Sequence[float]) -> float:
    return stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout, such as a git worktree")
    parser.add_argument("--sink", type=Path, required=True, help="benchmarks/sink.c, compiled")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--messages", type=int, default=_MESSAGES)
    parser.add_argument("--signed", action="store_true", help="letters with DKIM")
    parser.add_argument("--python", default=sys.executable, help="which Python runs the other one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
