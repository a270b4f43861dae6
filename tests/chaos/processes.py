"""Utskick's own commands in processes of their own, started in milliseconds.

A nursery imports the program once and forks each process off; what runs in it is `utskick ARGUMENTS` from its first
line. Whoever is killed dies as any process does.
"""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from mailer.cli import main
from mailer.providers import provider_names
from tests.chaos.sink import serve

_nursery = multiprocessing.get_context("forkserver")
# The command line imports a command when it is called: the nursery does so before its first child.
_COMMANDS = [f"mailer.cli.{name}" for name in ("worker", "outbox", "running")]
_PROVIDERS = [f"mailer.providers.{name}" for name in provider_names()]  # the config may name any, so all are imported
_POSTGRESQL = ["mailer.queue.postgresql", "mailer.jobs.attending", "sqlalchemy.dialects.postgresql.psycopg"]
_OURS = ["pytest", "tests.chaos.afflictions", __name__]  # every child imports the module that was called first
_nursery.set_forkserver_preload([*_COMMANDS, *_PROVIDERS, *_POSTGRESQL, *_OURS])


def start(arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> ForkServerProcess:
    """Run `utskick ARGUMENTS`; what it says is added to `log`."""
    return _start(_utskick, list(arguments), dict(environ), log)


def start_sink(folder: Path, seed: str) -> ForkServerProcess:
    return _start(serve, folder, seed)


def _start(target: object, *arguments: object) -> ForkServerProcess:
    process = _nursery.Process(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]  # a function each
    process.start()
    return process


def _utskick(arguments: list[str], environ: dict[str, str], log: Path) -> None:
    os.environ.update(environ)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(file, stream.fileno())
    main(arguments)


def kill(process: ForkServerProcess) -> None:
    process.kill()
    process.join()


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started."""
    return [int(child) for tasks in Path(f"/proc/{pid}/task").glob("*/children") for child in tasks.read_text().split()]


def kill_all(pids: Sequence[int]) -> None:
    """Kill processes that are not our own children; what is gone is gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Say whether there is such a process that is not merely waiting to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def a_free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port
