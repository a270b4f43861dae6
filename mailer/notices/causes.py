"""What there is to tell the people in charge, and which of it is due now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.config.people import Matter

ALARM_REST = timedelta(hours=1)  # an alarm at most once an hour per cause
REMIND_EVERY = timedelta(days=1)  # while it lasts


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing to tell. `key` names this occurrence of it, so that it is told once, or daily while it `lasts`.

    subject, lines  sentences with {names}, marked with N_ and translated for each person, and their values
    """

    key: str
    matter: Matter
    subject: str
    lines: tuple[str, ...]
    values: Mapping[str, object]
    lasts: bool = False
    edition_id: int | None = None  # its preview goes along
    request: int | None = None  # for approval: whoever may sign it is sent a link


@dataclass(frozen=True, slots=True)
class Telling:
    """When somebody last set out to tell of a cause, and whether it went out."""

    at: datetime
    went_out: bool


def due(causes: Sequence[Cause], told: Mapping[str, Telling], now: datetime) -> list[Cause]:
    """Return the causes to tell now: new ones, ones whose telling failed an hour ago, lasting ones each day."""
    return [cause for cause in causes if _is_due(cause, told.get(cause.key), now)]


def _is_due(cause: Cause, last: Telling | None, now: datetime) -> bool:
    if last is None:
        return True
    if not last.went_out:
        return now >= last.at + ALARM_REST
    return cause.lasts and now >= last.at + REMIND_EVERY
