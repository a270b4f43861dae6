"""Whose approval a letter needs. Pure.

Whoever asks has their part in it. One who may approve, and whose districts hold everyone the letter goes to, decides;
to many people, or beyond the districts of whoever asks, it takes another one. Nobody counts twice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """`districts`: slugs, with all that lie inside; None: the whole organisation."""

    slug: str
    name: str
    address: str
    language: str
    districts: frozenset[str] | None
    may_approve: bool

    def covers(self, districts: frozenset[str] | None) -> bool:
        """Whether an audience lies inside what is theirs. `districts` None: it is not bound to any."""
        return self.districts is None or (districts is not None and districts <= self.districts)


NOBODY = ""  # who asked: no operator did, so one is enough, who approves


@dataclass(frozen=True, slots=True)
class Asked:
    """What approval is asked for: `by` whom, and to how many `people` of which `districts` the letter goes."""

    by: str
    people: int
    districts: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """granted, or `awaited`: any one of these has to sign next. Neither: nobody could."""

    granted: bool
    awaited: frozenset[str] = frozenset()


def is_beyond(asked: Asked, asker: Operator | None, *, second_above: int) -> bool:
    """Whether it goes to more, or further, than whoever asks decides about alone."""
    return asked.people > second_above or (asker is not None and not asker.covers(asked.districts))


def judge(asked: Asked, signed: Collection[str], operators: Mapping[str, Operator], *, second_above: int) -> Verdict:
    """Decide on what was signed so far. Whoever is no operator any more has signed nothing."""
    asker = operators.get(asked.by)
    if asker is None and asked.by != NOBODY:
        return Verdict(granted=False)
    if asker and asker.slug not in signed:
        return Verdict(granted=False, awaited=frozenset({asker.slug}))
    able = {it.slug for it in operators.values() if it.may_approve and it.covers(asked.districts)}
    approvers = able & set(signed)
    needed = 2 if asker and is_beyond(asked, asker, second_above=second_above) else 1
    if approvers and len(approvers | ({asker.slug} if asker else set())) >= needed:
        return Verdict(granted=True)
    return Verdict(granted=False, awaited=frozenset(able - set(signed)))
