"""[providers.NAME.pace] of config.toml: how fast a provider may be given letters, whoever the provider is."""

import re
from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mailer.sentences import N_

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _hours(text: str) -> str:
    if text and (not _HOURS.fullmatch(text) or text[:5] == text[6:]):
        raise ValueError(N_('write two different hours, for example "21:00-07:00"'))
    return text


class WarmUp(BaseModel):
    """A new address is trusted little by little: more each day on which something was sent.

    since   days before it do not count: the plan begins anew when it is set to today
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(ge=1)  # letters on the first day
    factor: float = Field(1.5, gt=1, le=10)  # each day that many times the day before
    ceiling: int = Field(ge=1)  # never more a day while the plan stands
    since: date = date.min

    @model_validator(mode="after")
    def _rises(self) -> "WarmUp":
        if self.ceiling < self.start:
            raise ValueError(N_("the ceiling must not be below the start"))
        return self


class Pace(BaseModel):
    """Letters of all workers together; 0 is no limit. None of these costs anything while it is not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_second: int = Field(0, ge=0)
    per_minute: int = Field(0, ge=0)
    per_hour: int = Field(0, ge=0)
    per_day: int = Field(0, ge=0)
    quiet: Annotated[str, AfterValidator(_hours)] = ""
    warm_up: WarmUp | None = None

    @property
    def limited(self) -> bool:
        return self != UNLIMITED

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """From when and to when, on the site's clock; the end may be on the next day."""
        if not self.quiet:
            return None
        begin, end = self.quiet.split("-")
        return time.fromisoformat(begin), time.fromisoformat(end)


UNLIMITED = Pace()
