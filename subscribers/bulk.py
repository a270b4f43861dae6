"""Many rows at once, by the driver itself: what SQLAlchemy does for each row costs more than the row."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel


def insert(
    connection: sa.Connection,
    table: type[SQLModel],
    columns: Mapping[str, Iterable[object]],
    shared: Mapping[str, object] | None = None,
) -> None:
    """Insert rows whose values come column by column, each as long as the others; `shared` is the same in all rows.

    Columns that are not named stay empty: defaults of the models are not applied.
    """
    made, dialect = _table(table), connection.dialect
    values = [_stored(made.c[name].type, dialect, some) for name, some in columns.items()]
    for name, value in (shared or {}).items():
        values.append(repeat(next(iter(_stored(made.c[name].type, dialect, [value])))))
    rows = list(zip(*values, strict=False))  # what is shared never ends
    if rows:
        names = [made.c[name] for name in (*columns, *(shared or {}))]
        connection.exec_driver_sql(_statement(made, names, dialect), rows)


def fetch(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
) -> list[tuple[Any, ...]]:
    """Return the rows of a query as the driver gives them: on SQLite a truth is 0 or 1 and a moment a text."""
    with connection.execute(query, values or {}) as result:
        assert result.cursor is not None  # noqa: S101  # a SELECT has rows
        return list(result.cursor.fetchall())


def columns(
    connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], values: Mapping[str, object] | None = None
) -> list[Sequence[Any]]:
    """Return the columns of a query that is built once, as `fetch` would give their values; in its order.

    SQLite gives all of them in one row: with each row its driver lets other threads run, and waits for its turn again.
    """
    if connection.dialect.name != "sqlite":
        rows = fetch(connection, query, values)
        return list(zip(*rows, strict=True)) or [()] * len(query.selected_columns)
    joined = connection.execute(_in_one_row(query), values or {}).one()
    of_octets = [isinstance(column.type, sa.LargeBinary) for column in query.selected_columns]
    read = map(json.loads, joined)
    return [list(map(_octets, some)) if sealed else some for sealed, some in zip(of_octets, read, strict=True)]


@lru_cache(maxsize=16)
def _in_one_row(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    made = [sa.func.hex(column) if isinstance(column.type, sa.LargeBinary) else column for column in query.subquery().c]
    return sa.select(*map(sa.func.json_group_array, made))


def _octets(digits: str) -> bytes | None:
    """Read what SQLite's `hex` wrote; it makes nothing of NULL."""
    return bytes.fromhex(digits) if digits else None


def one_of(column: Any, name: str, dialect: sa.Dialect) -> sa.ColumnElement[bool]:
    """Ask whether `column` is among the whole numbers that `many` gives as the value `name`.

    One statement however many they are: a list of marks is written, and read by the database, anew each time.
    """
    if dialect.name == "postgresql":
        asked: sa.ColumnElement[bool] = column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(sa.BigInteger)))
        return asked
    within: sa.ColumnElement[bool] = column.in_(
        sa.select(sa.column("value")).select_from(sa.func.json_each(sa.bindparam(name)))
    )
    return within


def many(numbers: Iterable[int], dialect: sa.Dialect) -> object:
    """Return numbers as one value, for `one_of`: an array, or JSON where there are none."""
    return list(numbers) if dialect.name == "postgresql" else str(list(numbers))


def among(connection: sa.Connection, column: sa.Column[Any], values: Collection[bytes]) -> set[bytes]:
    """Return those of `values` (some thousands at most) that `column` of a table holds."""
    if not values:
        return set()
    quote = connection.dialect.identifier_preparer
    marks = ", ".join([_mark(connection.dialect)] * len(values))
    name, table = quote.format_column(column), quote.format_table(column.table)
    query = f"SELECT {name} FROM {table} WHERE {name} IN ({marks})"  # noqa: S608  # names of our own tables
    return set(connection.exec_driver_sql(query, tuple(values)).scalars())


def reserve(connection: sa.Connection, table: type[SQLModel], count: int) -> Sequence[int]:
    """Return `count` ascending ids that nobody else will use. Side by side, but for what others insert meanwhile.

    SQLite has one writer, and we are it. PostgreSQL hands them out of the sequence, as to everyone.
    """
    made = _table(table)
    if connection.dialect.name == "sqlite":
        last = connection.scalar(sa.select(sa.func.max(made.c.id))) or 0
        return range(last + 1, last + 1 + count)
    drawn = sa.text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return connection.scalars(drawn, {"name": made.name, "count": count}).all()


def _table(table: type[SQLModel]) -> sa.Table:
    made: sa.Table = sa.inspect(table).local_table
    return made


def _stored(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect, values: Iterable[object]) -> Iterable[object]:
    """Yield values as the driver wants them: sealed, or with a time in the database's own form."""
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else map(process, values)


def _statement(table: sa.Table, columns: Sequence[sa.Column[Any]], dialect: sa.Dialect) -> str:
    quote = dialect.identifier_preparer
    names = ", ".join(map(quote.format_column, columns))
    marks = ", ".join([_mark(dialect)] * len(columns))
    return f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608  # names of our own tables


def _mark(dialect: sa.Dialect) -> str:
    return "?" if dialect.paramstyle == "qmark" else "%s"
