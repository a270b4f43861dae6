"""How workers share out the connections that a provider allows. Pure: no clock, no database.

All have the same part. Who is to have fewer than before closes some, and says so when they are closed; only then may
another open as many. So there are never more than the provider allows, and who comes waits for a moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Held = Mapping[str, int]  # worker -> connections that it may have open


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker asks for.

    limit   connections that the provider allows
    opened  the worker has so many, and is not asked to close them in this moment
    """

    worker: str
    limit: int
    opened: int = 0


def part_of(claim: Claim, held: Held) -> int:
    """Return how many connections a worker is to have: as many as the others, or one more where that leaves some over.

    With more workers than connections the last of them have none.
    """
    workers = sorted({claim.worker, *held})
    return claim.limit // len(workers) + (workers.index(claim.worker) < claim.limit % len(workers))


def may_have(claim: Claim, held: Held) -> int:
    """Return how many connections a worker may have now: its part, as far as the others have left it."""
    left = claim.limit - sum(number for other, number in held.items() if other != claim.worker)
    return max(0, min(left, max(claim.opened, part_of(claim, held))))
