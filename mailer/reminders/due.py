"""Which steps of an event's ladder are due. Pure: what was missed while nobody looked is found from its moment."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mailer.events.details import Details
from mailer.ladder import AFTER, Step

AFTER_DIGEST = timedelta(hours=1)  # in which a digest has been planned, so that it is known who read of the event there
THANKS_FOR = timedelta(days=3)  # later thanks are of no use
_INSTANT = timedelta(microseconds=1)


class Due(NamedTuple):
    step: Step
    at: datetime


def moment_of(step: Step, event: Details) -> datetime:
    """Return when a step is due, in UTC.

    Days and hours are those of the event's own clock, whatever the clocks do in between: an hour that they leave out is
    taken as summer time has it (02:30 becomes 03:30), and of an hour that comes twice the first counts. Thanks wait
    for the end.
    """
    if step.hours is not None:
        return event.starts_at - timedelta(hours=step.hours)
    zone, thanks = ZoneInfo(event.zone), step.letter in AFTER
    counted_from = max(event.ends_at - _INSTANT, event.starts_at) if thanks else event.starts_at
    day = counted_from.astimezone(zone).date() + timedelta(days=step.days)
    # fold=0, the default: before a gap's change and the first of two, as PEP 495 has it.
    at = datetime.combine(day, step.at, zone).astimezone(UTC)
    return max(at, event.ends_at) if thanks else at


def useful_until(letter: str, event: Details) -> datetime:
    """Return when a letter about an event is of no use any more: when it has begun, for one without hours a day later.

    Thanks: three days after they may be said.
    """
    if letter in AFTER:
        return event.ends_at + THANKS_FOR + timedelta(days=1)
    if not event.all_day:
        return event.starts_at
    zone = ZoneInfo(event.zone)
    tomorrow = event.starts_at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, datetime.min.time(), zone).astimezone(UTC)


def due(ladder: Iterable[Step], event: Details, after: datetime, now: datetime) -> list[Due]:
    """Return the steps that came due after `after` and by `now`, in their order, but for those that are of no use."""
    steps = (Due(step, moment_of(step, event)) for step in ladder)
    asked = (one for one in steps if after < one.at <= now < useful_until(one.step.letter, event))
    return sorted(asked, key=lambda one: (one.at, one.step.name))


def beside_digest(at: datetime, digests: Sequence[datetime], event: Details, letter: str) -> datetime:
    """Return when a step that is due `at` goes: on a day with a digest after it, if the event leaves time for that.

    digests   when digests go, about that time
    """
    zone = ZoneInfo(event.zone)
    for digest in sorted(digests):
        together = digest.astimezone(zone).date() == at.astimezone(zone).date() and at <= digest + AFTER_DIGEST
        if together and digest + 2 * AFTER_DIGEST <= useful_until(letter, event):
            return max(at, digest + AFTER_DIGEST)
    return at
