"""The weekly digest: when, how much and how fresh."""

from pydantic import Field, model_validator

from mailer.config.values import WEEKDAYS, Section, Slug, WeeklyTime
from mailer.durations import Span
from mailer.sentences import N_


def _place_in_week(time: str) -> tuple[int, str]:
    weekday, hour = time.split()
    return WEEKDAYS.index(weekday), hour


class Digest(Section):
    publication: Slug = "weekly"
    draft: WeeklyTime = "Monday 08:00"
    send: WeeklyTime = "Thursday 08:00"
    auto_approve: bool = False
    grace: Span = Field("12 hours", validate_default=True)
    fresh_for: Span = Field("3 weeks", validate_default=True)
    new_member: Span = Field("7 days", validate_default=True)
    at_least: int = Field(1, ge=1)
    per_section: int = Field(6, ge=1)
    at_most: int = Field(14, ge=1)
    same_for_everyone: bool = False
    events: int = Field(5, ge=0, le=50)
    events_within: Span = Field("5 weeks", validate_default=True)

    @model_validator(mode="after")
    def _drafted_before_sent(self) -> "Digest":
        if _place_in_week(self.draft) >= _place_in_week(self.send):
            raise ValueError(N_("draft must come before send in a week from Monday to Sunday"))
        return self
