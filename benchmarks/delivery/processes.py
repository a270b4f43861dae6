"""Senders as processes that begin together: both ends of the little talk between them and the bench.

A sender says "ready" when it has imported and opened everything, waits for a line, works, and tells its Account. So
no interpreter start is measured, and nothing of the work is left out.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Sender = subprocess.Popen[str]
_READY = "ready"
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Account:
    """What one process used. `peak` is its largest resident memory in bytes, its start included."""

    cpu: float  # seconds, of user and system together
    peak: int


@dataclass(frozen=True)
class Run:
    """What some processes did together."""

    messages: int
    seconds: float
    accounts: Sequence[Account]

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_per_message(self) -> float:
        """In microseconds."""
        return sum(account.cpu for account in self.accounts) / self.messages * 1e6

    @property
    def peak(self) -> int:
        """Of the largest process, in bytes."""
        return max(account.peak for account in self.accounts)


def run_together(commands: Sequence[Sequence[str]], messages: int) -> Run:
    """Start `commands` (modules with arguments), let them begin at once and wait for the last."""
    return let_begin([begin([sys.executable, "-m", *command]) for command in commands], messages)


def begin(command: Sequence[str], checkout: Path | None = None) -> Sender:
    """Start a sender, of another checkout where one is named."""
    other = {} if checkout is None else {"PYTHONPATH": str(checkout)}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=checkout,
        env=os.environ | other,
    )


def let_begin(processes: Sequence[Sender], messages: int) -> Run:
    """Let senders begin at once and wait for the last. Their accounts are in the same order."""
    for process in processes:
        if _hear(process) != _READY:
            raise SystemExit(f"{process.args!r} could not begin")
    began = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        print("go", file=process.stdin)
    told = [_hear(process) for process in processes]
    seconds = time.perf_counter() - began
    for process in processes:
        process.communicate()
        if process.returncode:
            raise SystemExit(f"{process.args!r} failed")
    accounts = [Account(**json.loads(account)) for account in told]
    return Run(messages, seconds, accounts)


def work_when_told(work: Callable[[], None]) -> None:
    """The sender's side. Nothing else may be printed."""
    print(_READY, flush=True)
    sys.stdin.readline()
    before = _cpu()
    work()
    print(json.dumps(asdict(Account(_cpu() - before, _peak()))), flush=True)


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> int:
    """Read it from /proc: getrusage's peak is at least that of whoever started the process."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
