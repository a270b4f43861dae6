"""What came of a letter, and whether two subjects differ by more than chance. Pure.

Fisher's exact test: given how many did something of all, how likely is a division as uneven as this one when the
subject made no difference? (R. A. Fisher, "The Logic of Inductive Inference", 1935.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma

LEAST_SHOWN = 5  # a smaller number could point at somebody
_CHANCE = 0.05  # what happens less often than that by chance is said to mean something
_ALIKE = 1 + 1e-9  # probabilities that differ by no more than rounding


class Deed(StrEnum):
    """What a reader may have done since."""

    UNSUBSCRIBED = "unsubscribed"
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Group:
    """Those who got one subject: how many members, and how many of them did what."""

    subject: str
    members: int
    did: dict[Deed, int]


class Verdict(StrEnum):
    CHANCE = "it may be chance"
    FIRST = "the first has more, by more than chance"
    SECOND = "the second has more, by more than chance"
    TOO_FEW = "too few to compare"


def shown(number: int) -> int | None:
    """Return a number as it may be shown: None for one below LEAST_SHOWN."""
    return number if number >= LEAST_SHOWN else None


def compare(groups: Sequence[Group], deed: Deed) -> Verdict:
    """Say what two groups' counts of a deed mean."""
    first, second = groups
    counts = first.did.get(deed, 0), second.did.get(deed, 0)
    if max(counts) < LEAST_SHOWN:
        return Verdict.TOO_FEW
    if by_chance(counts[0], first.members, counts[1], second.members) >= _CHANCE:
        return Verdict.CHANCE
    more = counts[0] * second.members > counts[1] * first.members
    return Verdict.FIRST if more else Verdict.SECOND


def by_chance(first: int, of_first: int, second: int, of_second: int) -> float:
    """Return how likely a division is that is no likelier than this one, from 0 to 1.

    first, second        how many did it
    of_first, of_second  of how many
    """
    did, everyone = first + second, of_first + of_second
    least, most = max(0, did - of_second), min(did, of_first)
    whole = _ways(everyone, did)
    likely = [exp(_ways(of_first, some) + _ways(of_second, did - some) - whole) for some in range(least, most + 1)]
    this = likely[first - least] * _ALIKE
    return min(1.0, sum(one for one in likely if one <= this))


def _ways(of: int, some: int) -> float:
    """Return the logarithm of in how many ways `some` can be taken of so many."""
    return lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)
