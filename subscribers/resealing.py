"""Sealing everything anew under the key that is now in use, some rows at a time; safe to stop and to repeat."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from subscribers.column_types import Sealed
from subscribers.sealed import is_current, open_sealed, seal

SOME = 500  # rows in one transaction

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A table with sealed columns, seen as what is stored. `sealed`: column -> the name it was sealed for."""

    table: sa.TableClause
    key: tuple[str, ...]
    sealed: dict[str, str]


def places() -> Iterator[Place]:
    """Yield every table that holds something sealed."""
    for table in SQLModel.metadata.sorted_tables:
        sealed = {column.name: column.type.column for column in table.columns if isinstance(column.type, Sealed)}
        key = tuple(column.name for column in table.primary_key)
        if sealed:
            columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in key]
            raw = [sa.column(name, sa.LargeBinary) for name in sealed]
            yield Place(sa.table(table.name, *columns, *raw), key, sealed)


def reseal_some(session: Session, place: Place, after: Key | None) -> tuple[Key | None, int]:
    """Seal anew what needs it in the SOME rows that follow `after` (None: from the first).

    returns  the key to go on after, None at the end; and how many rows were changed
    raises   Locked when a key is missing
    """
    table = place.table
    key = [table.c[name] for name in place.key]
    query = sa.select(table).order_by(*key).limit(SOME)
    if after is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*(sa.literal(value) for value in after)))
    rows = session.execute(query).mappings().all()
    changed = 0
    for row in rows:
        old = {name: row[name] for name in place.sealed if row[name] is not None and not is_current(row[name])}
        if not old:
            continue
        new = {name: seal(open_sealed(value, place.sealed[name]), place.sealed[name]) for name, value in old.items()}
        # Only over what was read: a member may be changing it at this moment.
        as_read = [table.c[name] == value for name, value in ({k: row[k] for k in place.key} | old).items()]
        changed += session.connection().execute(sa.update(table).where(*as_read).values(**new)).rowcount
    return (tuple(rows[-1][name] for name in place.key) if len(rows) == SOME else None), changed
