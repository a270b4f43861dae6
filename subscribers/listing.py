"""The register as a person reads it: members with their names open, in memory only."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from subscribers.errors import Refused
from subscribers.models import (
    District,
    Ground,
    Member,
    MemberDistrict,
    MemberTopic,
    State,
    Subscription,
    Topic,
)
from subscribers.near import nearest


@dataclass(frozen=True, slots=True)
class Listed:
    """One member. Districts, topics and the publications subscribed to are slugs in order."""

    id: int
    number: str | None
    address: str | None
    given_name: str | None
    family_name: str | None
    language: str
    plain_only: bool
    state: State
    ground: Ground
    districts: tuple[str, ...]
    topics: tuple[str, ...]
    publications: tuple[str, ...]
    created_at: datetime
    changed_at: datetime


def members(session: Session, *, district: str | None = None, state: State | None = None) -> Iterator[Listed]:
    """Yield members in order of id; `district`, by slug or name, keeps those who chose it.

    raises  Refused when there is no such district
    """
    condition: sa.ColumnElement[bool] = sa.true()
    if state is not None:
        condition = sa.and_(condition, col(Member.state) == state)
    if district is not None:
        chose = select(MemberDistrict.member_id).where(
            MemberDistrict.district_id == find_district(session, district).id
        )
        condition = sa.and_(condition, col(Member.id).in_(chose))
    return _listed(session, condition)


def member(session: Session, member_id: int) -> Listed:
    """Return one member. raises Refused when there is none"""
    for found in _listed(session, col(Member.id) == member_id):
        return found
    raise Refused("There is no member {member}.", member=member_id)


def find_district(session: Session, said: str) -> District:
    """Find a district by slug or name. raises Refused, which names what is spelled alike"""
    rows = session.exec(select(District).order_by(District.slug)).all()
    slugs = {name.casefold(): row.slug for row in rows for name in (row.name, row.slug)}
    by_slug = {row.slug: row for row in rows}
    wanted = said.strip().casefold()
    if wanted in slugs:
        return by_slug[slugs[wanted]]
    near = nearest(wanted, slugs)
    if near:
        raise Refused("There is no district {name}. Did you mean {near}?", name=said, near=", ".join(near))
    raise Refused("There is no district {name}.", name=said)


def _listed(session: Session, condition: sa.ColumnElement[bool]) -> Iterator[Listed]:
    wanted = select(Member.id).where(condition)
    chosen = select(MemberDistrict.member_id, District.slug).join(District)
    districts = _slugs(session, chosen.where(col(MemberDistrict.member_id).in_(wanted)))
    followed = select(MemberTopic.member_id, Topic.slug).join(Topic)
    topics = _slugs(session, followed.where(col(MemberTopic.member_id).in_(wanted)))
    subscribed = select(Subscription.member_id, Subscription.publication).where(col(Subscription.ended_at).is_(None))
    publications = _slugs(session, subscribed.where(col(Subscription.member_id).in_(wanted)))
    for row in session.exec(select(Member).where(condition).order_by(col(Member.id)).execution_options(yield_per=1000)):
        number = row.id or 0
        kept = row.model_dump(exclude={"number_key", "address_key", "chosen_by", "address_by", "address_since"})
        yield Listed(**kept, districts=districts[number], topics=topics[number], publications=publications[number])


def _slugs(session: Session, query: sa.Executable) -> defaultdict[int, tuple[str, ...]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for member_id, slug in session.connection().execute(query):
        found[member_id].append(slug)
    return defaultdict(tuple, {member_id: tuple(sorted(slugs)) for member_id, slugs in found.items()})


def has_members(session: Session) -> bool:
    """Whether the register holds anyone. Opens nothing."""
    return session.exec(select(Member.id).limit(1)).first() is not None


def try_keys(session: Session) -> None:
    """Open one sealed value of the register, if it has any. raises Locked when the keys do not fit"""
    session.exec(select(Member.address).where(col(Member.address).is_not(None)).limit(1)).first()
