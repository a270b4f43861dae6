"""When letters about an event go out: a step of its ladder in each line of config.toml. Pure."""

import re
from datetime import time
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from mailer.sentences import N_

ANY_KIND = "event"  # the kind of an event that says none, and the ladder of kinds that have none of their own
BEFORE, AFTER = ("invitation", "reminder", "details"), ("thanks",)  # the letters, each a folder of templates/email
_FORM = re.compile(
    r"(?P<letter>[a-z]+) (?:"
    r"(?:(?P<days>[1-9]\d{0,2}) days? (?P<side>before|after)|on the day) at (?P<hour>(?:[01]\d|2[0-3]):[0-5]\d)"
    r"|(?P<hours>[1-9]\d?) hours? before)"
)


class Step(NamedTuple):
    """A letter, and when it is due.

    days   from the event's first day, negative before it; of what comes after an event: from its last day
    at     the hour of that day on the event's own clock
    hours  instead of both: so many hours before it begins
    """

    letter: str
    days: int = 0
    at: time = time()
    hours: int | None = None

    @property
    def name(self) -> str:
        """What the step is called in the keys of mailings: the hour is not in it, so it can be changed."""
        if self.hours is not None:
            return f"{self.letter}-{self.hours}h-before"
        if not self.days:
            return f"{self.letter}-on-the-day"
        return f"{self.letter}-{abs(self.days)}d-{'before' if self.days < 0 else 'after'}"


def read_step(line: object) -> object:
    """Read "reminder 3 days before at 18:00"; anything but text is left for pydantic to judge. raises ValueError"""
    if not isinstance(line, str):
        return line
    found = _FORM.fullmatch(" ".join(line.split()))
    if found is None or found["letter"] not in BEFORE + AFTER:
        raise ValueError(
            N_(
                'write "invitation 14 days before at 18:00", "reminder on the day at 08:00", "reminder 2 hours before",'
                ' "details 1 day before at 18:00" or "thanks 1 day after at 18:00"'
            )
        )
    comes_before = found["side"] == "before" or found["hours"] is not None
    if (found["letter"] in AFTER and comes_before) or (found["letter"] in BEFORE and found["side"] == "after"):
        raise ValueError(N_("thanks come after an event, and the other letters before it"))
    if found["hours"]:
        return Step(found["letter"], hours=int(found["hours"]))
    days = int(found["days"] or 0) * (-1 if comes_before else 1)
    return Step(found["letter"], days, time.fromisoformat(found["hour"]))


def _each_once(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if len({step.name for step in steps}) != len(steps):
        raise ValueError(N_("the same letter stands there twice for one day"))
    return steps


Ladder = Annotated[tuple[Annotated[Step, BeforeValidator(read_step)], ...], AfterValidator(_each_once)]

USUAL: tuple[Step, ...] = (
    Step("invitation", -14, time(18)),
    Step("reminder", -3, time(18)),
    Step("reminder", 0, time(8)),
    Step("thanks", 1, time(18)),
)
