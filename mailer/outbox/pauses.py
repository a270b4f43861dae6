"""How long a worker waits out a trouble: a moment at first, for who stops a mailing waits for it; then longer."""

SHORTEST, LONGEST = 0.1, 5.0  # seconds


class Pauses:
    """Each is twice as long as the last, until something went well."""

    def __init__(self) -> None:
        self._next = SHORTEST

    def next(self) -> float:
        """Return the seconds to wait now."""
        pause, self._next = self._next, min(2 * self._next, LONGEST)
        return pause

    def all_is_well(self) -> None:
        self._next = SHORTEST
