"""The reference lists that members choose from, as a person reads them, with how many chose each."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from subscribers.models import District, DistrictKind, Member, MemberDistrict, MemberTopic, State, Topic


@dataclass(frozen=True, slots=True)
class ListedDistrict:
    """A district. `parent`: slug of the one above it; `members`: how many active ones chose it."""

    slug: str
    name: str
    kind: DistrictKind
    parent: str | None
    members: int


@dataclass(frozen=True, slots=True)
class ListedTopic:
    """A topic. `name`: the Swedish one; `members`: how many active ones chose it."""

    slug: str
    name: str
    name_en: str
    members: int


def parents(session: Session) -> dict[str, str | None]:
    """Return the tree of districts: slug -> the one above it."""
    rows = session.exec(select(District.id, District.slug, District.parent_id)).all()
    slugs = {number: slug for number, slug, _ in rows}
    return {slug: slugs.get(parent) if parent else None for _, slug, parent in rows}


def districts(session: Session) -> list[ListedDistrict]:
    """Return the tree of districts, each after the one above it."""
    chosen = _chosen(session, col(MemberDistrict.district_id), col(MemberDistrict.member_id))
    below: defaultdict[int | None, list[District]] = defaultdict(list)
    for row in session.exec(select(District).order_by(District.name)):
        below[row.parent_id].append(row)

    def listed(parent: District | None) -> Iterator[ListedDistrict]:
        for row in below[parent.id if parent else None]:
            above = parent.slug if parent else None
            yield ListedDistrict(row.slug, row.name, row.kind, above, chosen.get(row.id or 0, 0))
            yield from listed(row)

    return list(listed(None))


def topics(session: Session) -> list[ListedTopic]:
    chosen = _chosen(session, col(MemberTopic.topic_id), col(MemberTopic.member_id))
    rows = session.exec(select(Topic).order_by(Topic.slug))
    return [ListedTopic(row.slug, row.name, row.name_en, chosen.get(row.id or 0, 0)) for row in rows]


def _chosen(session: Session, choice: Mapped[int], member: Mapped[int]) -> dict[int, int]:
    """Return how many active members made each choice."""
    active = select(choice, sa.func.count()).join(Member, col(Member.id) == member)
    return dict(session.exec(active.where(Member.state == State.ACTIVE).group_by(choice)).all())
