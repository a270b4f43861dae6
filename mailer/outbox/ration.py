"""What a provider may be given for now: a few numbers on the event loop's own clock, no lock and no database."""

import math
import time


class Ration:
    """`number` letters: the first at `begins` on time.monotonic(), the others `spacing` seconds apart.

    lateness    seconds after its moment that a letter may still go; it is lost then, so that none come in a crowd
    """

    def __init__(
        self, number: int, *, begins: float, spacing: float = 0.0, lateness: float = math.inf, urgent: bool = False
    ) -> None:
        self.number = number
        self.urgent = urgent  # only for letters that somebody waits for
        self.spent = 0
        self._given = 0  # spent, or lost
        self._begins = begins
        self._spacing = spacing
        self._lateness = lateness

    def waits(self, at: float | None = None) -> float:
        """Return the seconds until a letter may go, 0.0 for now, infinity for never."""
        at = time.monotonic() if at is None else at
        late = at - self._lateness - self._begins
        if late > 0:
            missed = math.ceil(late / self._spacing) if self._spacing else math.inf
            self._given = max(self._given, int(min(missed, self.number)))
        if self._given >= self.number:
            return math.inf
        return max(0.0, self._begins + self._given * self._spacing - at)

    @property
    def ready(self) -> bool:
        return self.waits() == 0.0

    @property
    def exhausted(self) -> bool:
        return self.waits() == math.inf

    def spend(self) -> None:
        self._given += 1
        self.spent += 1
