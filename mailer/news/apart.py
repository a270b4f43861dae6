"""Reading what a source answered, in a process of its own whose time and memory end: mailer.apart says how."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter

from mailer import apart
from mailer.news.parsed import BrokenSource
from mailer.news.reading import Reading, Task, read

CPU_SECONDS = 20  # the largest honest feed takes one


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
    try:
        answer = apart.ask(__name__, _TASK.dump_json(task), cpu_seconds=cpu_seconds)
    except apart.Endless:
        raise BrokenSource("Reading the answer takes far too long; it may be an attack.") from None
    except apart.Broken:
        raise BrokenSource("The answer breaks our reader; it may be an attack.") from None
    reply = _REPLY.validate_json(answer)
    if reply.refusal:
        sentence, values = reply.refusal
        raise BrokenSource(sentence, **values)
    return reply.readings


def _work(task: bytes) -> bytes:
    try:
        reply = Reply(readings=tuple(read(_TASK.validate_json(task))))
    except BrokenSource as error:
        reply = Reply(refusal=(error.sentence, {name: str(value) for name, value in error.values.items()}))
    return _REPLY.dump_json(reply)


if __name__ == "__main__":
    apart.serve(_work)
