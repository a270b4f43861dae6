"""Who may be written to: the one rule, asked in pages when a mailing is planned and again when it is sent.

A member may be written to about a publication when they are active, have an address, subscribe (not ended, not
paused) and their address is not suppressed in any scope: both scopes stop bulk mail.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from subscribers.models import District, Member, MemberDistrict, MemberTopic, State, Subscription, Suppression, Topic
from subscribers.reader import Reader, share_a_mail

PAGE = 5_000
_IDS_A_QUERY = 5_000  # far below the 32,766 values that a statement may carry

Slugs = Callable[[str | None], frozenset[str]]
Query = sa.Select[*tuple[Any, ...]]


def pages(connection: sa.Connection, *, publication: str, now: datetime, size: int = PAGE) -> Iterator[list[Reader]]:
    """Yield the Readers of `publication` in pages of at most `size` members, in the order of their ids.

    Members who share an address come as one Reader, in the page of the lowest id. A pause ends on the morning of
    its date, by the calendar of `now`'s own time zone.
    """
    query = _readers(publication, now)
    districts, topics = _slugs(connection, District), _slugs(connection, Topic)
    after = 0
    while rows := connection.execute(query.where(col(Subscription.member_id) > after).limit(size)).all():
        after = rows[-1].id
        readers = _by_id(rows, districts, topics)
        homes = _homes(connection, rows[0].id, after)
        elsewhere = {mate for mates in homes.values() for mate in mates} - readers.keys()
        asked = (query.where(col(Subscription.member_id).in_(some)) for some in _portions(sorted(elsewhere)))
        others = _by_id((row for some in asked for row in connection.execute(some)), districts, topics)
        yield _one_mail_a_home(readers, others, homes)


def one(connection: sa.Connection, *, publication: str, member_id: int, now: datetime) -> Reader | None:
    """Return the Reader of one member's household, None when the member may not be written to."""
    if not allowed(connection, publication=publication, member_ids=[member_id], now=now):
        return None
    people = [member_id, *_homes(connection, member_id, member_id).get(member_id, ())]
    districts, topics = _slugs(connection, District), _slugs(connection, Topic)
    rows = connection.execute(_readers(publication, now).where(col(Subscription.member_id).in_(people)))
    return share_a_mail(list(_by_id(rows, districts, topics).values()))


def allowed(connection: sa.Connection, *, publication: str, member_ids: Collection[int], now: datetime) -> set[int]:
    """Return those of `member_ids` who may be written to at this moment: the rule of `pages`, asked at send time."""
    found: set[int] = set()
    for some in _portions(list(member_ids)):
        query = _eligible(sa.select(col(Subscription.member_id)), publication, now)
        found.update(connection.scalars(query.where(col(Subscription.member_id).in_(some))))
    return found


def districts(connection: sa.Connection, *, publication: str, now: datetime) -> set[str]:
    """Return the slugs of the districts that anyone who may be written to has chosen."""
    chosen = (
        sa.select(col(District.slug))
        .distinct()
        .select_from(Subscription)
        .join(MemberDistrict, col(MemberDistrict.member_id) == col(Subscription.member_id))
        .join(District, col(District.id) == col(MemberDistrict.district_id))
    )
    return set(connection.scalars(_eligible(chosen, publication, now)))


def _eligible(query: Query, publication: str, now: datetime) -> Query:
    """Join Member and lay the rule on a query over Subscription. The only place where it is written."""
    suppressed = sa.exists().where(col(Suppression.address_key) == col(Member.address_key))
    return query.join(Member, col(Member.id) == col(Subscription.member_id)).where(
        col(Subscription.publication) == publication,
        col(Subscription.ended_at).is_(None),
        sa.or_(col(Subscription.paused_until).is_(None), col(Subscription.paused_until) <= now.date()),
        col(Member.state) == State.ACTIVE,
        col(Member.address_key).is_not(None),
        ~suppressed,
    )


def _readers(publication: str, now: datetime) -> Query:
    """Everything of a Reader in one row; the choices joined to "3,17" so that a page is one statement."""
    columns = sa.select(
        col(Member.id),
        col(Member.language),
        col(Member.plain_only),
        col(Subscription.cadence),
        col(Subscription.since),
        _joined(MemberDistrict.district_id, MemberDistrict.member_id).label("districts"),
        _joined(MemberTopic.topic_id, MemberTopic.member_id).label("topics"),
    ).select_from(Subscription)
    return _eligible(columns, publication, now).order_by(col(Subscription.member_id))


def _joined(choice: Any, owner: Any) -> sa.ScalarSelect[str]:
    joined = sa.func.aggregate_strings(sa.cast(choice, sa.String), ",")
    return sa.select(joined).where(owner == col(Subscription.member_id)).correlate(Subscription).scalar_subquery()


def _by_id(rows: Iterable[Any], districts: Slugs, topics: Slugs) -> dict[int, Reader]:
    """Make Readers of rows of `_readers`, by position: looking each column up by name takes four times as long."""
    return {
        number: Reader(number, (number,), language, plain_only, districts(near), topics(liked), cadence, since)
        for number, language, plain_only, cadence, since, near, liked in rows
    }


def _slugs(connection: sa.Connection, table: type[District | Topic]) -> Slugs:
    """Return a reader of "3,17". Few combinations are common, so most members share one frozenset."""
    by_id = {str(number): slug for number, slug in connection.execute(sa.select(col(table.id), col(table.slug)))}

    @lru_cache(maxsize=65_536)
    def slugs(joined: str | None) -> frozenset[str]:
        return frozenset(by_id[number] for number in joined.split(",")) if joined else frozenset()

    return slugs


def _homes(connection: sa.Connection, first: int, last: int) -> dict[int, list[int]]:
    """Return, of the members first..last, those who share an address with any others: each with those others."""
    one, other = (sa.alias(Member.__table__) for _ in range(2))  # type: ignore[attr-defined]  # SQLModel's table
    shared = sa.and_(other.c.address_key == one.c.address_key, other.c.id != one.c.id)
    pairs = sa.select(one.c.id, other.c.id).join_from(one, other, shared).where(one.c.id.between(first, last))
    homes: dict[int, list[int]] = {}
    for here, mate in connection.execute(pairs).all():
        homes.setdefault(here, []).append(mate)
    return homes


def _one_mail_a_home(
    readers: Mapping[int, Reader], others: Mapping[int, Reader], homes: Mapping[int, list[int]]
) -> list[Reader]:
    """Join each reader with the mates who may be written to; those led by a lower id come in that one's page."""
    joined = []
    for number, reader in readers.items():
        mates = [readers.get(mate) or others.get(mate) for mate in homes.get(number, ())]
        people = [mate for mate in mates if mate is not None]
        if all(number < mate.member_id for mate in people):
            joined.append(share_a_mail([reader, *people]))
    return joined


def _portions(numbers: list[int]) -> Iterable[list[int]]:
    return (numbers[start : start + _IDS_A_QUERY] for start in range(0, len(numbers), _IDS_A_QUERY))
