"""Some of the register: conditions on members, laid on the one rule of who may be written to, and what each removes.

A Choice holds of a member when all it says does; a Selection is whoever its `who` or one of `include` describes, less
whoever one of `exclude` does. Nothing in it speaks of what somebody opened or followed: that is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from subscribers import audience
from subscribers.models import District, Ground, Member, MemberDistrict, MemberTopic, State
from subscribers.streams import Stream

Clause = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is true of a member; empty: of every one.

    districts      ids: chose one of them
    topics         ids: follows one of them; whoever chose none follows all
    members        ids
    among          a query for the ids of members, such as those who answered something
    within         a selection with a name of its own
    """

    districts: frozenset[int] = frozenset()
    topics: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    ground: Ground | None = None
    members: frozenset[int] = frozenset()
    among: sa.Select[Any] | None = None
    within: "Selection | None" = None


@dataclass(frozen=True, slots=True)
class Selection:
    who: Choice = field(default_factory=Choice)
    include: tuple[Choice, ...] = ()
    exclude: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How a number came about. Members, but for `mails`: members who share an address share one.

    matching     active members whom the selection describes before anything is excluded
    excluded     what each exclusion removed, in their order
    not_allowed  of the others: those who may not be written to
    """

    matching: int
    excluded: tuple[int, ...]
    not_allowed: int
    members: int
    mails: int


def holds(selection: Selection) -> Clause:
    """Return the selection as a condition on Member."""
    described = sa.or_(*(_choice(choice) for choice in (selection.who, *selection.include)))
    return sa.and_(described, *(~_choice(choice) for choice in selection.exclude))


def count(session: Session, selection: Selection, *, publication: str, stream: Stream, now: datetime) -> Counted:
    """Count a selection step by step, as of `now`, as `audience.pages` sees it."""
    connection = session.connection()
    steps = range(len(selection.exclude) + 1)
    left = [_matching(connection, replace(selection, exclude=selection.exclude[:step]), stream) for step in steps]
    members, mails = audience.size(connection, publication=publication, stream=stream, which=holds(selection), now=now)
    removed = tuple(before - after for before, after in pairwise(left))
    return Counted(left[0], removed, left[-1] - members, members, mails)


def _matching(connection: sa.Connection, selection: Selection, stream: Stream) -> int:
    rule = sa.and_(col(Member.state) == State.ACTIVE, holds(selection))
    if stream is Stream.STATUTORY:
        rule = sa.and_(rule, col(Member.ground) == Ground.MEMBER)
    return connection.scalar(sa.select(sa.func.count()).select_from(Member).where(rule)) or 0


def _choice(choice: Choice) -> Clause:
    rules: list[Clause] = []
    if choice.districts:
        near = sa.select(col(MemberDistrict.member_id)).where(col(MemberDistrict.district_id).in_(choice.districts))
        rules.append(col(Member.id).in_(near))
    if choice.topics:
        chosen = sa.select(col(MemberTopic.member_id))
        follows = col(Member.id).in_(chosen.where(col(MemberTopic.topic_id).in_(choice.topics)))
        rules.append(sa.or_(follows, ~sa.exists().where(col(MemberTopic.member_id) == col(Member.id))))
    if choice.languages:
        rules.append(col(Member.language).in_(choice.languages))
    if choice.ground is not None:
        rules.append(col(Member.ground) == choice.ground)
    if choice.members:
        rules.append(col(Member.id).in_(choice.members))
    if choice.among is not None:
        rules.append(col(Member.id).in_(choice.among))
    if choice.within is not None:
        rules.append(holds(choice.within))
    return sa.and_(sa.true(), *rules)


def with_those_inside(session: Session, districts: Iterable[int]) -> frozenset[int]:
    """Return the ids of districts and of all that lie in them."""
    inside: dict[int | None, list[int]] = {}
    for number, parent in session.exec(select(District.id, District.parent_id)):
        inside.setdefault(parent, []).append(number or 0)
    found, waiting = set[int](), list(districts)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += inside.get(number, [])
    return frozenset(found)
