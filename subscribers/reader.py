"""A Reader: a member as planning may see one. No name, no address; free of the database, so decisions stay pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cadence(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Reader:
    """Choices as slugs; `topics` empty means all. `household` are the ids that share one mail, lowest first."""

    member_id: int
    household: tuple[int, ...]
    language: str
    plain_only: bool
    districts: frozenset[str]
    topics: frozenset[str]
    cadence: Cadence
    since: datetime


def share_a_mail(people: Sequence[Reader]) -> Reader:
    """Join the members of one address into one Reader who gets what any of them asked for.

    The lowest id leads: the mail is in that member's language. Someone without topics wants all of them, so the
    union is "all" too; one who needs plain text is readable for both.
    """
    if len(people) == 1:
        return people[0]
    everyone = sorted(people, key=lambda reader: reader.member_id)
    lead = everyone[0]
    wants_all = any(not reader.topics for reader in everyone)
    return Reader(
        member_id=lead.member_id,
        household=tuple(reader.member_id for reader in everyone),
        language=lead.language,
        plain_only=any(reader.plain_only for reader in everyone),
        districts=frozenset().union(*(reader.districts for reader in everyone)),
        topics=frozenset() if wants_all else frozenset().union(*(reader.topics for reader in everyone)),
        cadence=Cadence.WEEKLY if any(r.cadence is Cadence.WEEKLY for r in everyone) else Cadence.MONTHLY,
        since=min(reader.since for reader in everyone),
    )
