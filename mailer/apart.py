"""Work on what a stranger sent, in a process of its own whose time and memory end.

Five megabytes can be made to keep any parser busy for minutes. The process has neither keys nor the environment with
its secrets; bytes go in, bytes come out. A module that works so has two halves: `ask` here, `serve` under `__main__`.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable

_WALL_SECONDS = 10  # for each second of CPU: the machine may be busy
_MEMORY = 1024**3  # bytes of address space


class Endless(Exception):
    """It was given up."""


class Broken(Exception):
    """The process ended without an answer."""


def ask(module: str, task: bytes, *, cpu_seconds: int) -> bytes:
    """Have `module` work on `task`, in at most so many seconds of CPU. raises Endless, Broken"""
    command = [sys.executable, "-I", "-m", module, str(cpu_seconds)]
    try:
        child = subprocess.run(  # noqa: S603  # our own module
            command,
            input=task,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=cpu_seconds * _WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Endless from None
    if child.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise Endless
    if child.returncode:
        raise Broken
    return child.stdout


def serve(work: Callable[[bytes], bytes]) -> None:
    """Work on what stands on stdin within the limits, and write the answer to stdout."""
    cpu_seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(work(sys.stdin.buffer.read()))
