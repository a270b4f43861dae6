"""What a worker needs to know of a batch it has leased, fetched in a few queries."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from mailer.lasting import Lasting
from mailer.outbox.batches import BOUND, Lease, in_hand
from mailer.outbox.models import Delivery, Mailing, Piece, Variant
from subscribers import address, bulk
from subscribers.address import Address
from subscribers.recipient import Recipient, recipients
from subscribers.streams import Stream


@dataclass(frozen=True, slots=True)
class Occasion:
    """A mailing as its letters see it.

    pieces     the frozen blocks by their `ref`
    elsewhere  where it goes when not to the members' own addresses
    """

    mailing: int
    publication: str
    letter: str
    started_at: datetime
    give_up_at: datetime
    content: dict[str, Any]
    pieces: Mapping[int, dict[str, Any]]
    stream: Stream = Stream.BULK
    repeats: bool = False
    elsewhere: Address | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FrozenContent:
    """A Variant as it was planned, its JSON read."""

    variant: int
    language: str
    plain_only: bool
    content: dict[str, Any]


class Held(NamedTuple):
    """A delivery in hand; without a recipient when the member's address is gone."""

    delivery: int
    member: int
    recipient: Recipient | None


class Letter(NamedTuple):
    """One mail: a delivery, or those of a household side by side. `ticket` is the first of their ids."""

    ticket: int
    addressee: int  # whose Message-ID it carries: the household's, also when that member is gone
    attempts: int
    content: FrozenContent
    held: tuple[Held, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """A leased batch with all that its letters need. `allowed`: whether each member might be written to just then."""

    lease: Lease
    occasion: Occasion
    letters: Sequence[Letter]
    allowed: Mapping[int, bool]


_MOMENT = Mailing.__table__.c.give_up_at.type  # type: ignore[attr-defined]  # SQLModel's table
_START = (
    sa.update(Mailing)
    .where(col(Mailing.id) == sa.bindparam("number"), col(Mailing.started_at).is_(None))
    .values(
        started_at=sa.bindparam("at"),
        give_up_at=sa.func.coalesce(col(Mailing.give_up_at), sa.bindparam("end", type_=_MOMENT)),
        send_by=sa.func.coalesce(col(Mailing.send_by), sa.bindparam("by", type_=_MOMENT)),
    )
)
_OCCASION = sa.select(
    col(Mailing.publication),
    col(Mailing.letter),
    col(Mailing.started_at),
    col(Mailing.give_up_at),
    col(Mailing.content),
    col(Mailing.stream),
    col(Mailing.repeats),
    col(Mailing.address),
).where(col(Mailing.id) == sa.bindparam("number"), col(Mailing.started_at).is_not(None))
_PIECES = sa.select(col(Piece.ref), col(Piece.content)).where(col(Piece.mailing_id) == sa.bindparam("number"))
_IN_HAND = (
    sa.select(
        col(Delivery.household),
        col(Delivery.id),
        col(Delivery.member_id),
        col(Delivery.variant_id),
        col(Delivery.attempts),
        col(Delivery.repeated),
    )
    .where(*in_hand(BOUND))
    .order_by(col(Delivery.id))
)


@lru_cache(maxsize=512)
def _read(content: str) -> Lasting:
    """Read a piece: it is the same for each batch of its mailing, and so is what letters made of it."""
    return Lasting(json.loads(content))


def begin(
    connection: sa.Connection, lease: Lease, *, give_up_after: timedelta, send_within: timedelta, now: datetime
) -> Occasion:
    """Return the mailing of `lease`, its pieces too; the first who asks starts it: from then its Date is fixed."""
    times = {"at": now, "end": now + give_up_after, "by": now + send_within}
    connection.execute(_START, {"number": lease.mailing} | times)
    return occasion(connection, lease.mailing)


def occasion(connection: sa.Connection, mailing: int) -> Occasion:
    """Return a mailing that was begun, its pieces too. raises NoResultFound when there is no such one"""
    row = connection.execute(_OCCASION, {"number": mailing}).one()
    refs, pieces = bulk.columns(connection, _PIECES, {"number": mailing})
    return Occasion(
        mailing=mailing,
        publication=row.publication,
        letter=row.letter,
        started_at=row.started_at,
        give_up_at=row.give_up_at,
        content=json.loads(row.content),
        pieces=dict(zip(refs, map(_read, pieces), strict=True)),
        stream=row.stream,
        repeats=row.repeats,
        elsewhere=address.parse(row.address) if row.address else None,
    )


class _Row(NamedTuple):
    """A delivery as `_IN_HAND` reads it, straight from the driver: `repeated` is 0 or 1 on SQLite."""

    household: int | None
    id: int
    member_id: int
    variant_id: int
    attempts: int
    repeated: bool


# As _make, without a call of a Python function for each row.
_held: Callable[[Iterable[Any]], Held] = partial(tuple.__new__, Held)
_letter: Callable[[Iterable[Any]], Letter] = partial(tuple.__new__, Letter)


def letters(connection: sa.Connection, lease: Lease, elsewhere: Address | None = None) -> list[Letter]:
    """Return the letters of a batch that are due, in the order of their ids, so that variants come together."""
    households, *columns = bulk.columns(connection, _IN_HAND, asdict(lease))
    _, members, variants, _, _ = columns
    people = recipients(connection, members)
    if elsewhere is not None:
        # Nobody has proved yet whose mailbox that is: it learns no name.
        people = {number: person._replace(address=elsewhere.text, given_name="") for number, person in people.items()}
    frozen = contents(connection, set(variants))
    if not any(households):
        return list(_of_ones_own(columns, people, frozen))
    found: list[Letter] = []
    for household, group in groupby(zip(households, *columns, strict=True), key=itemgetter(0)):
        if household is None:
            found += _of_ones_own(list(zip(*group, strict=True))[1:], people, frozen)
        else:
            found += _shared(household, [_Row(*row) for row in group], people, frozen)
    return found


def _of_ones_own(
    columns: Sequence[Sequence[Any]], people: Mapping[int, Recipient], contents: Mapping[int, FrozenContent]
) -> Iterable[Letter]:
    """Return a mail for each: in columns, for in a large mailing these are nearly all."""
    numbers, members, variants, attempts, repeated = columns
    held = map(_held, zip(numbers, members, map(people.get, members), strict=True))
    frozen = map(contents.__getitem__, variants)
    return map(_letter, zip(numbers, members, attempts, frozen, zip(held, strict=True), repeated, strict=True))


def _shared(
    household: int, rows: Sequence[_Row], people: Mapping[int, Recipient], contents: Mapping[int, FrozenContent]
) -> Iterator[Letter]:
    """Yield the one mail of a household, or several when an address was changed since the mailing was planned."""
    by_address: dict[str, list[Held]] = {}
    for row in rows:
        recipient = people.get(row.member_id)
        held = Held(row.id, row.member_id, recipient)
        by_address.setdefault(recipient.address.casefold() if recipient else "", []).append(held)
    addressee: int | None = household
    for group in by_address.values():
        yield Letter(
            group[0].delivery,
            group[0].member if addressee is None else addressee,
            rows[0].attempts,
            contents[rows[0].variant_id],
            tuple(group),
            rows[0].repeated,
        )
        addressee = None


def contents(connection: sa.Connection, variants: Iterable[int]) -> dict[int, FrozenContent]:
    dialect = connection.dialect
    found = bulk.columns(connection, _contents(dialect), {"variants": bulk.many(variants, dialect)})
    frozen = [
        FrozenContent(number, language, bool(plain_only), json.loads(content))
        for number, language, plain_only, content in zip(*found, strict=True)
    ]
    return {content.variant: content for content in frozen}


@cache
def _contents(dialect: sa.Dialect) -> sa.Select[*tuple[Any, ...]]:
    columns = (col(Variant.id), col(Variant.language), col(Variant.plain_only), col(Variant.content))
    return sa.select(*columns).where(bulk.one_of(col(Variant.id), "variants", dialect))
