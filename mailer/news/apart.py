"""Reading what a stranger sent, in a process of its own whose time and memory end.

Five megabytes can be made to keep any parser of HTML or XML busy for minutes. The process has neither keys nor the
environment with its secrets, and only JSON comes back from it.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter

from mailer.news.parsed import BrokenSource
from mailer.news.reading import Reading, Task, read

CPU_SECONDS = 20  # the largest honest feed takes one
_WALL_SECONDS = 10  # for each second of CPU: the machine may be busy
_MEMORY = 1024**3  # bytes of address space


@dataclass(frozen=True, slots=True)
class Reply:
    """What the process says: the readings, or the sentence of a BrokenSource and its values."""

    readings: tuple[Reading, ...] = ()
    refusal: tuple[str, dict[str, str]] | None = None


_TASK = TypeAdapter(Task)
_REPLY = TypeAdapter(Reply)

Read = Callable[[Task], tuple[Reading, ...]]


def read_apart(task: Task, *, cpu_seconds: int = CPU_SECONDS) -> tuple[Reading, ...]:
    """Do as `reading.read`, in at most so many seconds of CPU. raises BrokenSource"""
    command = [sys.executable, "-I", "-m", __name__, str(cpu_seconds)]
    try:
        child = subprocess.run(  # noqa: S603  # our own module
            command,
            input=_TASK.dump_json(task),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=cpu_seconds * _WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _endless() from None
    if child.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise _endless()
    if child.returncode:
        raise BrokenSource("The answer breaks our reader; it may be an attack.")
    reply = _REPLY.validate_json(child.stdout)
    if reply.refusal:
        sentence, values = reply.refusal
        raise BrokenSource(sentence, **values)
    return reply.readings


def _endless() -> BrokenSource:
    return BrokenSource("Reading the answer takes far too long; it may be an attack.")


def main() -> None:
    """Read a task from stdin within limits, and write the reply to stdout."""
    cpu_seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = _TASK.validate_json(sys.stdin.buffer.read())
    try:
        reply = Reply(readings=tuple(read(task)))
    except BrokenSource as error:
        reply = Reply(refusal=(error.sentence, {name: str(value) for name, value in error.values.items()}))
    sys.stdout.buffer.write(_REPLY.dump_json(reply))


if __name__ == "__main__":
    main()
