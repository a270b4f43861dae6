"""Who may be written to: the one rule, asked in pages when a mailing is planned and again when it is sent.

Bulk mail goes to members who are active, have an address, subscribe (not ended, not paused) and whose address is
not suppressed in any scope. A statutory letter goes to every active party member whose address is not suppressed in
scope `all`, whatever they subscribe to; a letter that somebody asked for goes to them in any state but erased.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from subscribers.column_types import stored
from subscribers.models import (
    District,
    Ground,
    Member,
    MemberDistrict,
    MemberTopic,
    Scope,
    State,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.reader import Cadence, Reader, share_a_mail
from subscribers.streams import Stream

PAGE = 5_000
_IDS_A_QUERY = 5_000  # far below the 32,766 values that a statement may carry

Slugs = Callable[[str | None], frozenset[str]]
Query = sa.Select[*tuple[Any, ...]]


def pages(
    connection: sa.Connection, *, publication: str, stream: Stream = Stream.BULK, now: datetime, size: int = PAGE
) -> Iterator[list[Reader]]:
    """Yield the Readers of `publication` in pages of at most `size` members, in the order of their ids.

    Members who share an address come as one Reader, in the page of the lowest id. A pause ends on the morning of
    its date, by the calendar of `now`'s own time zone.
    """
    query, who = _readers(publication, stream, now), _who(stream)
    districts, topics = _slugs(connection, District), _slugs(connection, Topic)
    after = 0
    while rows := connection.execute(query.where(who > after).limit(size)).all():
        after = rows[-1].id
        readers = _by_id(rows, districts, topics)
        homes = _homes(connection, rows[0].id, after)
        elsewhere = {mate for mates in homes.values() for mate in mates} - readers.keys()
        asked = (query.where(who.in_(some)) for some in _portions(sorted(elsewhere)))
        others = _by_id((row for some in asked for row in connection.execute(some)), districts, topics)
        yield _one_mail_a_home(readers, others, homes)


def one(
    connection: sa.Connection, *, publication: str, stream: Stream = Stream.BULK, member_id: int, now: datetime
) -> Reader | None:
    """Return the Reader of one member's household, None when the member may not be written to."""
    if not allowed(connection, publication=publication, stream=stream, member_ids=[member_id], now=now):
        return None
    people = [member_id, *_homes(connection, member_id, member_id).get(member_id, ())]
    districts, topics = _slugs(connection, District), _slugs(connection, Topic)
    rows = connection.execute(_readers(publication, stream, now).where(_who(stream).in_(people)))
    return share_a_mail(list(_by_id(rows, districts, topics).values()))


def allowed(  # the rule has this many sides
    connection: sa.Connection,
    *,
    publication: str,
    stream: Stream = Stream.BULK,
    elsewhere: bytes | None = None,
    member_ids: Collection[int],
    now: datetime,
) -> set[int]:
    """Return those of `member_ids` who may be written to at this moment: the rule of `pages`, asked at send time.

    elsewhere  key of the address that the letter goes to, when that is not the member's own
    """
    found: set[int] = set()
    who = _who(stream)
    query = _eligible(sa.select(who), publication, stream, now, elsewhere)
    for some in _portions(list(member_ids)):
        found.update(connection.scalars(query.where(who.in_(some))))
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
    return set(connection.scalars(_eligible(chosen, publication, Stream.BULK, now)))


def _who(stream: Stream) -> Any:
    """Return the column that names the member: bulk mail starts from the subscriptions, the rest from everyone."""
    return col(Subscription.member_id) if stream is Stream.BULK else col(Member.id)


def _eligible(query: Query, publication: str, stream: Stream, now: datetime, elsewhere: bytes | None = None) -> Query:
    """Lay the rule on a query over Subscription or, for other streams, Member. The only place where it is written."""
    address = col(Member.address_key) if elsewhere is None else sa.literal(elsewhere)
    suppressed = sa.exists().where(col(Suppression.address_key) == address)
    if stream is Stream.BULK:
        return query.join(Member, col(Member.id) == col(Subscription.member_id)).where(
            col(Subscription.publication) == publication,
            col(Subscription.ended_at).is_(None),
            sa.or_(col(Subscription.paused_until).is_(None), col(Subscription.paused_until) <= now.date()),
            col(Member.state) == State.ACTIVE,
            address.is_not(None),
            ~suppressed,
        )
    reachable = sa.and_(address.is_not(None), ~suppressed.where(col(Suppression.scope) == Scope.ALL))
    if stream is Stream.STATUTORY:
        return query.where(col(Member.state) == State.ACTIVE, col(Member.ground) == Ground.MEMBER, reachable)
    return query.where(col(Member.state) != State.ERASED, reachable)


def _readers(publication: str, stream: Stream, now: datetime) -> Query:
    """Everything of a Reader in one row; the choices joined to "3,17" so that a page is one statement."""
    who, bulk = _who(stream), stream is Stream.BULK
    columns = sa.select(
        col(Member.id),
        col(Member.language),
        col(Member.plain_only),
        col(Subscription.cadence) if bulk else sa.literal(Cadence.WEEKLY, stored(Cadence)),
        col(Subscription.since) if bulk else col(Member.created_at),
        _joined(MemberDistrict.district_id, MemberDistrict.member_id, who).label("districts"),
        _joined(MemberTopic.topic_id, MemberTopic.member_id, who).label("topics"),
    ).select_from(Subscription if bulk else Member)
    return _eligible(columns, publication, stream, now).order_by(who)


def _joined(choice: Any, owner: Any, who: Any) -> sa.ScalarSelect[str]:
    joined = sa.func.aggregate_strings(sa.cast(choice, sa.String), ",")
    return sa.select(joined).where(owner == who).correlate(Subscription, Member).scalar_subquery()


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
