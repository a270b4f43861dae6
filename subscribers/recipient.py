"""A Recipient: a member as the post office may see one, name and address opened."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from subscribers import bulk
from subscribers.models import Ground, Member, Scope, State, Subscription, Suppression
from subscribers.sealed import open_all, open_sealed
from subscribers.streams import Stream

_AT_ONCE = 500  # bound variables of one statement


@cache
def _people(dialect: sa.Dialect) -> sa.Select[*tuple[Any, ...]]:
    """Left sealed: a whole column is opened at once, and the family name only for the few who must be masked."""
    sealed = (Member.address, Member.given_name, Member.family_name)
    return sa.select(
        col(Member.id), col(Member.language), *(sa.type_coerce(column, sa.LargeBinary) for column in sealed)
    ).where(bulk.one_of(col(Member.id), "members", dialect), col(Member.address).is_not(None))


class Recipient(NamedTuple):
    member_id: int
    address: str
    given_name: str
    language: str
    sealed_family_name: bytes | None = None

    def __repr__(self) -> str:  # whatever is printed or logged names nobody
        return f"Recipient(member_id={self.member_id})"

    def words(self) -> tuple[str, ...]:
        """Return every word that names this person, for the masking of a server's answer. Rarely asked."""
        sealed = self.sealed_family_name
        family_name = open_sealed(sealed, "member.family_name") if sealed else ""
        return tuple(re.findall(r"\w{2,}", f"{self.given_name} {family_name} {self.address.rpartition('@')[0]}"))


# As _make, without a call of a Python function for each row.
_recipient: Callable[[Iterable[Any]], Recipient] = partial(tuple.__new__, Recipient)


def recipients(connection: sa.Connection, member_ids: Sequence[int]) -> dict[int, Recipient]:
    """Open name and address of those of `member_ids` that have an address."""
    dialect = connection.dialect
    found = bulk.columns(connection, _people(dialect), {"members": bulk.many(member_ids, dialect)})
    numbers, languages, addresses, given_names, family_names = found
    opened = (
        [text or "" for text in open_all(column, name)]
        for column, name in ((addresses, "member.address"), (given_names, "member.given_name"))
    )
    people = map(_recipient, zip(numbers, *opened, languages, family_names, strict=True))
    return dict(zip(numbers, people, strict=True))


def why_not(  # as audience.allowed
    connection: sa.Connection,
    *,
    publication: str,
    stream: Stream = Stream.BULK,
    elsewhere: bytes | None = None,
    member_ids: Sequence[int],
    now: datetime,
) -> dict[int, str]:
    """Name, for each of the few who may not be written to, the reason: left, erased, pending, suppressed, paused, ...

    "changed" when none of these holds any more: the person may be written to again, but was not when asked.
    """
    reasons = dict.fromkeys(member_ids, "erased")
    reason = _REASONS[stream]
    for start in range(0, len(member_ids), _AT_ONCE):
        rows = connection.execute(_standing(publication, stream, elsewhere, member_ids[start : start + _AT_ONCE]))
        reasons |= {row.id: reason(row, now) for row in rows}
    return reasons


def _standing(
    publication: str, stream: Stream, elsewhere: bytes | None, member_ids: Sequence[int]
) -> sa.Select[*tuple[Any, ...]]:
    address = col(Member.address_key) if elsewhere is None else sa.literal(elsewhere)
    suppressed = sa.exists().where(col(Suppression.address_key) == address)
    if stream is not Stream.BULK:
        suppressed = suppressed.where(col(Suppression.scope) == Scope.ALL)
    subscription = sa.and_(col(Subscription.member_id) == col(Member.id), col(Subscription.publication) == publication)
    return (
        sa.select(
            col(Member.id),
            col(Member.state),
            col(Member.ground),
            address.is_not(None).label("reachable"),
            suppressed.label("suppressed"),
            col(Subscription.since),
            col(Subscription.ended_at),
            col(Subscription.paused_until),
        )
        .outerjoin(Subscription, subscription)
        .where(col(Member.id).in_(member_ids))
    )


def _bulk_reason(row: Any, now: datetime) -> str:
    checks = (
        (row.state != State.ACTIVE, str(row.state)),
        (not row.reachable, "no address"),
        (row.suppressed, "suppressed"),
        (row.since is None, "not subscribed"),
        (row.ended_at is not None, "unsubscribed"),
        (row.paused_until is not None and row.paused_until > now.date(), "paused"),
    )
    return _first(checks)


def _statutory_reason(row: Any, _: datetime) -> str:
    checks = (
        (row.state != State.ACTIVE, str(row.state)),
        (row.ground != Ground.MEMBER, str(row.ground)),
        (not row.reachable, "no address"),
        (row.suppressed, "suppressed"),
    )
    return _first(checks)


def _asked_reason(row: Any, _: datetime) -> str:
    checks = (
        (row.state == State.ERASED, str(row.state)),
        (not row.reachable, "no address"),
        (row.suppressed, "suppressed"),
    )
    return _first(checks)


def _first(checks: Sequence[tuple[bool, str]]) -> str:
    return next((reason for holds, reason in checks if holds), "changed")


_REASONS = {Stream.BULK: _bulk_reason, Stream.STATUTORY: _statutory_reason, Stream.ASKED: _asked_reason}
