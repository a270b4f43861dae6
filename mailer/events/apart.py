"""Reading a file of events or somebody's calendar, in a process of its own whose time and memory end."""

from dataclasses import dataclass

from pydantic import ConfigDict, TypeAdapter

from mailer import apart
from mailer.errors import Mistake
from mailer.events.calendar_reading import looks_like_calendar, read_calendar
from mailer.events.said import Fault, Said
from mailer.events.written import read_file

CPU_SECONDS = 20  # 500 events take one


@dataclass(frozen=True, slots=True)
class Task:
    """What was sent, and the zone of hours without one."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")  # it travels as JSON

    content: bytes
    zone: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the process says: the events and those that are wrong, or the sentence of a Mistake and its values."""

    events: tuple[Said, ...] = ()
    faults: tuple[Fault, ...] = ()
    refusal: tuple[str, dict[str, str]] | None = None


_TASK = TypeAdapter(Task)
_REPLY = TypeAdapter(Reply)


def read_apart(content: bytes, zone: str, *, cpu_seconds: int = CPU_SECONDS) -> Reply:
    """Read TOML or iCalendar, whichever it is, in at most so many seconds of CPU. raises Mistake"""
    try:
        answer = apart.ask(__name__, _TASK.dump_json(Task(content, zone)), cpu_seconds=cpu_seconds)
    except apart.Endless:
        raise Mistake("Reading the answer takes far too long; it may be an attack.") from None
    except apart.Broken:
        raise Mistake("The answer breaks our reader; it may be an attack.") from None
    reply = _REPLY.validate_json(answer)
    if reply.refusal:
        sentence, values = reply.refusal
        raise Mistake(sentence, **values)
    return reply


def read(content: bytes, zone: str) -> Reply:
    """raises Mistake when it is neither, or holds too many events"""
    events, faults = (read_calendar if looks_like_calendar(content) else read_file)(content, zone)
    return Reply(tuple(events), tuple(faults))


def _work(said: bytes) -> bytes:
    task = _TASK.validate_json(said)
    try:
        reply = read(task.content, task.zone)
    except Mistake as error:
        reply = Reply(refusal=(error.sentence, {name: str(value) for name, value in error.values.items()}))
    return _REPLY.dump_json(reply)


if __name__ == "__main__":
    apart.serve(_work)
