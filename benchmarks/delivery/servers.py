"""Who takes the mail, and the C program that sends it for comparison. Every server is started for one run."""

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery.processes import Account, Run

_SBIN = f"{os.environ['PATH']}:/usr/sbin"  # where Debian keeps what is meant for administrators
_AT_MOST = 10.0  # seconds until a server listens


@dataclass(frozen=True)
class Sink:
    """A kind of server. `delay` in milliseconds is what the minimal one holds every answer back by."""

    name: str
    command: tuple[str, ...]
    delay: int = 0

    @contextmanager
    def running(self) -> Iterator[int]:
        """Start one and yield its port."""
        if self.command[0] == "smtp-sink":
            port = _free_port()
            process = subprocess.Popen(
                [*_smtp_sink(), f"127.0.0.1:{port}", "256"], stdout=subprocess.DEVNULL, text=True
            )
        else:
            process = subprocess.Popen([*self.command, str(self.delay)], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            port = int(process.stdout.readline())
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.communicate()


def smtp_sink() -> Sink:
    """Postfix's: it reads every byte with a state machine, which takes most of a core at 5,000 messages a second."""
    return Sink("smtp-sink", ("smtp-sink",))


def minimal_sink(program: Path, delay: int = 0) -> Sink:
    """benchmarks/sink.c, compiled as `program`."""
    name = f"minimal sink, {delay} ms" if delay else "minimal sink"
    return Sink(name, (str(program),), delay)


def smtp_source(port: int, letter: Path, *, messages: int, sessions: int) -> Run:
    """Send `letter` `messages` times over `sessions` kept connections, as fast as Postfix's load generator can."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    load = ["-d", "-s", str(sessions), "-m", str(messages), "-F", str(letter)]
    envelope = ["-f", "veckobrev@nyhet.example.org", "-t", "member@example.org"]
    subprocess.run([_found("smtp-source"), *load, *envelope, f"127.0.0.1:{port}"], check=True)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(messages, seconds, [Account(cpu, 0)])


def _smtp_sink() -> list[str]:
    return [_found("smtp-sink"), *(["-u", "nobody"] if os.geteuid() == 0 else [])]


def _found(program: str) -> str:
    path = shutil.which(program, path=_SBIN)
    if path is None:
        raise SystemExit(f"{program} is missing: run `apt-get install postfix` (no service of it needs to run).")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + _AT_MOST
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
