"""Who may be written to: the one rule, asked in pages when a mailing is planned and again when it is sent.

Bulk mail goes to members who are active, have an address, subscribe (not ended, not paused) and whose address is
not suppressed in any scope. A statutory letter goes to every active party member whose address is not suppressed in
scope `all`, whatever they subscribe to; a letter that somebody asked for goes to them in any state but erased.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from subscribers import bulk
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
Row = tuple[Any, ...]  # of `_readers`, as the driver gives it
Homes = Mapping[int, tuple[int, ...]]  # member who shares an address -> all who do, lowest id first
Query = sa.Select[*tuple[Any, ...]]


def pages(  # the rule has this many sides
    connection: sa.Connection,
    *,
    publication: str,
    stream: Stream = Stream.BULK,
    which: sa.ColumnElement[bool] | None = None,
    now: datetime,
    size: int = PAGE,
) -> Iterator[list[Reader]]:
    """Yield the Readers of `publication` in pages of at most `size` members, in the order of their ids.

    which  a condition on Member (subscribers.selection): of them alone, also within a household

    Members who share an address come as one Reader, in the page of the lowest id. A pause ends on the morning of
    its date, by the calendar of `now`'s own time zone.
    """
    query, who = _readers(publication, stream, now), _who(stream)
    query = query if which is None else query.where(which)
    reader_of = _reader_of(connection)
    homes = _homes(connection, col(Member.address_key).is_not(None))
    after = 0
    while rows := bulk.fetch(connection, query.where(who > after).limit(size)):
        after = rows[-1][0]
        readers = {row[0]: reader_of(row) for row in rows}
        elsewhere = {mate for number in readers.keys() & homes.keys() for mate in homes[number]} - readers.keys()
        asked = (query.where(who.in_(some)) for some in _portions(sorted(elsewhere)))
        others = {row[0]: reader_of(row) for some in asked for row in bulk.fetch(connection, some)}
        yield _one_mail_a_home(readers, others, homes)


def size(
    connection: sa.Connection, *, publication: str, stream: Stream, which: sa.ColumnElement[bool], now: datetime
) -> tuple[int, int]:
    """Return how many members `pages` would yield, and how many mails: one an address."""
    counts = sa.select(sa.func.count(), sa.func.count(sa.distinct(col(Member.address_key))))
    query = _eligible(_from(counts, stream), publication, stream, now.date()).where(which)
    members, mails = connection.execute(query).one()
    return members, mails


def one(
    connection: sa.Connection, *, publication: str, stream: Stream = Stream.BULK, member_id: int, now: datetime
) -> Reader | None:
    """Return the Reader of one member's household, None when the member may not be written to."""
    if not allowed(connection, publication=publication, stream=stream, member_ids=[member_id], now=now):
        return None
    address = sa.select(col(Member.address_key)).where(col(Member.id) == member_id).scalar_subquery()
    people = _homes(connection, col(Member.address_key) == address).get(member_id, (member_id,))
    rows = bulk.fetch(connection, _readers(publication, stream, now).where(_who(stream).in_(people)))
    return share_a_mail(list(map(_reader_of(connection), rows)))


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
    dialect = connection.dialect
    query = _allowed(stream, dialect, own_address=elsewhere is None)
    rule = {"publication": publication, "today": now.date(), "elsewhere": elsewhere}
    joined = connection.scalar(query, {**rule, "some": bulk.many(member_ids, dialect)})
    return set(map(int, joined.split(","))) if joined else set()


@cache
def _allowed(stream: Stream, dialect: sa.Dialect, *, own_address: bool) -> Query:
    """Build the question once: while a mailing is sent it is asked again whenever anything changed.

    It is answered in one row, "3,17": with each row the driver lets other threads run, and they take their time.
    """
    who = _who(stream)
    elsewhere = None if own_address else sa.bindparam("elsewhere", type_=sa.LargeBinary)
    comma: Any = sa.literal_column("','")  # as a value it would be written into the statement each time
    joined = sa.select(sa.func.aggregate_strings(sa.cast(who, sa.String), comma))
    query = _eligible(joined, sa.bindparam("publication"), stream, sa.bindparam("today"), elsewhere)
    # PostgreSQL would read every member there is to find these, and join them then with their subscriptions.
    named = (who, col(Member.id)) if dialect.name == "postgresql" else (who,)
    return query.where(*(bulk.one_of(column, "some", dialect) for column in named))


def districts(connection: sa.Connection, *, publication: str, now: datetime) -> set[str]:
    """Return the slugs of the districts that anyone who may be written to has chosen."""
    chosen = (
        sa.select(col(District.slug))
        .distinct()
        .select_from(Subscription)
        .join(MemberDistrict, col(MemberDistrict.member_id) == col(Subscription.member_id))
        .join(District, col(District.id) == col(MemberDistrict.district_id))
    )
    return set(connection.scalars(_eligible(chosen, publication, Stream.BULK, now.date())))


def _who(stream: Stream) -> Any:
    """Return the column that names the member: bulk mail starts from the subscriptions, the rest from everyone."""
    return col(Subscription.member_id) if stream is Stream.BULK else col(Member.id)


def _eligible(
    query: Query,
    publication: str | sa.BindParameter[str],
    stream: Stream,
    today: date | sa.BindParameter[date],
    elsewhere: sa.ColumnElement[bytes] | None = None,
) -> Query:
    """Lay the rule on a query over Subscription or, for other streams, Member. The only place where it is written."""
    address = col(Member.address_key) if elsewhere is None else elsewhere
    suppressed = sa.exists().where(col(Suppression.address_key) == address)
    if stream is Stream.BULK:
        return query.join(Member, col(Member.id) == col(Subscription.member_id)).where(
            col(Subscription.publication) == publication,
            col(Subscription.ended_at).is_(None),
            sa.or_(col(Subscription.paused_until).is_(None), col(Subscription.paused_until) <= today),
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
    who, subscribed = _who(stream), stream is Stream.BULK
    columns = sa.select(
        col(Member.id),
        col(Member.language),
        col(Member.plain_only),
        col(Subscription.cadence) if subscribed else sa.literal(Cadence.WEEKLY, stored(Cadence)),
        col(Subscription.since) if subscribed else col(Member.created_at),
        _joined(MemberDistrict.district_id, MemberDistrict.member_id, who).label("districts"),
        _joined(MemberTopic.topic_id, MemberTopic.member_id, who).label("topics"),
    )
    return _eligible(_from(columns, stream), publication, stream, now.date()).order_by(who)


def _from(query: Query, stream: Stream) -> Query:
    return query.select_from(Subscription if stream is Stream.BULK else Member)


def _joined(choice: Any, owner: Any, who: Any) -> sa.ScalarSelect[str]:
    joined = sa.func.aggregate_strings(sa.cast(choice, sa.String), ",")
    return sa.select(joined).where(owner == who).correlate(Subscription, Member).scalar_subquery()


def _reader_of(connection: sa.Connection) -> Callable[[Row], Reader]:
    """Return what makes a Reader of a row. What many members have in common is read once."""
    districts, topics = _slugs(connection, District), _slugs(connection, Topic)
    cadences = {cadence.value: cadence for cadence in Cadence}
    moment = lru_cache(maxsize=65_536)(_moments(connection.dialect))

    def reader(row: Row) -> Reader:
        number, language, plain_only, cadence, since, near, liked = row
        return Reader(
            number,
            (number,),
            language,
            bool(plain_only),
            districts(near),
            topics(liked),
            cadences[cadence],
            moment(since),
        )

    return reader


def _moments(dialect: sa.Dialect) -> Callable[[Any], Any]:
    """Return what reads a moment as the driver gives it: SQLite's is a text."""
    kind = sa.inspect(Subscription).columns["since"].type
    return kind.dialect_impl(dialect).result_processor(dialect, None) or (lambda moment: moment)


def _slugs(connection: sa.Connection, table: type[District | Topic]) -> Slugs:
    """Return a reader of "3,17". Few combinations are common, so most members share one frozenset."""
    by_id = {str(number): slug for number, slug in connection.execute(sa.select(col(table.id), col(table.slug)))}

    @lru_cache(maxsize=65_536)
    def slugs(joined: str | None) -> frozenset[str]:
        return frozenset(by_id[number] for number in joined.split(",")) if joined else frozenset()

    return slugs


def _homes(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Homes:
    """Return, of the members `which`, those who share an address. One pass over the index of addresses."""
    joined = sa.func.aggregate_strings(sa.cast(Member.id, sa.String), ",")
    shared = sa.select(joined).where(which).group_by(col(Member.address_key)).having(sa.func.count() > 1)
    homes: dict[int, tuple[int, ...]] = {}
    for (people,) in bulk.fetch(connection, shared):
        home = tuple(sorted(map(int, people.split(","))))
        homes |= dict.fromkeys(home, home)
    return homes


def _one_mail_a_home(readers: Mapping[int, Reader], others: Mapping[int, Reader], homes: Homes) -> list[Reader]:
    """Join each reader with the mates who may be written to; those led by a lower id come in that one's page."""
    joined = []
    for number, reader in readers.items():
        if number not in homes:
            joined.append(reader)
            continue
        found = (readers.get(mate) or others.get(mate) for mate in homes[number])
        people = [mate for mate in found if mate is not None]
        if people[0] is reader:
            joined.append(share_a_mail(people))
    return joined


def _portions(numbers: list[int]) -> Iterable[list[int]]:
    return (numbers[start : start + _IDS_A_QUERY] for start in range(0, len(numbers), _IDS_A_QUERY))
