"""A provider and how it has been lately: one that is down rests while the next takes over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.providers import Provider

FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)


@dataclass(slots=True)
class Carrier:
    """A provider and how it has been lately."""

    name: str
    provider: Provider
    rest: timedelta = timedelta()  # the last one
    resting_until: datetime | None = None

    def awake(self, now: datetime) -> bool:
        return self.resting_until is None or self.resting_until <= now

    def lie_down(self, now: datetime) -> None:
        """Rest twice as long as last time, 1 to 15 minutes."""
        self.rest = min(max(self.rest * 2, FIRST_REST), LONGEST_REST)
        self.resting_until = now + self.rest

    def recover(self) -> None:
        self.rest, self.resting_until = timedelta(), None
