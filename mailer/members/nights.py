"""Which nights old data was deleted in, so that each night it is done once, by whichever clock comes first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from mailer.members.models import RetentionRun

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Night:
    """A night; `done_at` None: it was broken off, and the next one does the rest. `deleted` by rule."""

    day: date
    begun_at: datetime
    done_at: datetime | None
    deleted: Mapping[str, int]


def claim(session: Session, day: date, now: datetime) -> bool:
    """Take a night. Returns False when somebody has it."""
    if session.get(RetentionRun, day) is not None:
        return False
    session.add(RetentionRun(day=day, at=now))
    session.flush()
    return True


def settle(session: Session, day: date, counts: Mapping[str, int], now: datetime) -> None:
    night = session.get_one(RetentionRun, day)
    night.done_at, night.counts = now, json.dumps(counts)


def last(session: Session) -> list[Night]:
    """Return the latest nights, newest first."""
    found = session.exec(select(RetentionRun).order_by(col(RetentionRun.day).desc()).limit(_SHOWN))
    return [Night(night.day, night.at, night.done_at, json.loads(night.counts)) for night in found]
