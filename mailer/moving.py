"""Moving an installation's rows from SQLite to an empty PostgreSQL: copied in chunks, counted and compared.

Until the last step the target calls itself MOVING, and no command works on it: a move that was interrupted is simply
begun anew. The source is locked for writers meanwhile and changes in one thing only: what was to be sent is held, there
as in the target, so that no letter is sent by both.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col

import mailer
import subscribers
from mailer import db
from mailer.db import MOVING
from mailer.errors import Mistake, Trouble
from mailer.outbox import control
from mailer.outbox.models import Batch, BatchState
from mailer.queue import schema
from mailer.sentences import N_, Progress
from subscribers.column_types import Sealed

MOVED = N_("It was moved to another database: resume it to send on.")
CHUNK = 5_000  # rows
_ALL = 1 << 256

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Account:
    """What a table holds. `digest` is the sum of its rows' SHA-256, so that their order does not matter."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: Iterable[Row]) -> "Account":
        number, digest = self.rows, self.digest
        for row in rows:
            number += 1
            digest += int.from_bytes(hashlib.sha256(repr([_plain(value) for value in row]).encode()).digest())
        return Account(number, digest % _ALL)


def tables() -> list[sa.Table]:
    """Return every table of ours, those that others refer to first. They stand in files called models.py."""
    for package in (mailer, subscribers):
        home = Path(package.__path__[0])
        for path in home.rglob("models.py"):
            import_module(".".join((package.__name__, *path.relative_to(home).with_suffix("").parts)))
    return SQLModel.metadata.sorted_tables


def move(source: sa.Engine, target: sa.Engine, progress: Progress) -> dict[str, Account]:
    """Copy all rows and compare. Returns what each table holds. Safe to interrupt and to repeat.

    raises  Mistake  when the target is no PostgreSQL or not empty, or letters are just being sent
            Trouble  when a table did not arrive as it was; the target is then still no database to work on
    """
    if target.dialect.name != "postgresql":
        raise Mistake("The database to move to must be PostgreSQL: postgresql+psycopg://HOST/NAME.")
    _prepare(target)
    with db.writing(source) as session:  # nobody writes there meanwhile: what is counted is what was copied
        connection = session.connection()
        _refuse_leased(connection)
        control.hold_all(connection, reason=MOVED)
        accounts = {table.name: _copy(connection, target, table, progress) for table in tables()}
        _compare(target, accounts, progress)
    _open(target)
    return accounts


def _prepare(target: sa.Engine) -> None:
    if db.revision(target) == MOVING:
        _empty(target)
        return
    db.upgrade(target)
    schema.upgrade(target)
    with db.reading(target) as session:
        for table in tables():
            if session.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise Mistake("The database to move to holds something already: name an empty one.")
    db.stamp(target, MOVING)


def _empty(target: sa.Engine) -> None:
    with db.writing(target) as session:
        names = ", ".join(f'"{table.name}"' for table in tables())
        session.execute(sa.text(f"TRUNCATE {names}"))


def _refuse_leased(connection: sa.Connection) -> None:
    if connection.scalar(sa.select(col(Batch.id)).where(col(Batch.state) == BatchState.LEASED).limit(1)):
        raise Mistake("Letters are being sent: stop the workers first, and let them finish.")


def _copy(source: sa.Connection, target: sa.Engine, table: sa.Table, progress: Progress) -> Account:
    total = source.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    account, names = Account(), ", ".join(f'"{column.name}"' for column in table.columns)
    for rows in _chunks(source, table):
        with db.writing_beside(target) as session:
            driver = session.connection().connection.cursor()
            with driver.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        account = account.plus(rows)
        progress("Copying", account.rows, total)
    return account


def _compare(target: sa.Engine, accounts: dict[str, Account], progress: Progress) -> None:
    for done, table in enumerate(tables(), start=1):
        arrived = Account()
        with db.reading(target) as session:
            for rows in _chunks(session.connection(), table):
                arrived = arrived.plus(rows)
        if arrived != accounts[table.name]:
            raise Trouble("The table {table} did not arrive as it was: run the command again.", table=table.name)
        progress("Comparing", done, len(accounts))


def _chunks(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[Row]]:
    """Yield the rows as they are stored: what is sealed stays sealed."""
    stored = sa.table(table.name, *(sa.column(column.name, _stored(column.type)) for column in table.columns))
    keys = [stored.c[column.name] for column in table.primary_key]  # a parent has a lower id than its child
    found = connection.execution_options(yield_per=CHUNK).execute(sa.select(stored).order_by(*keys))
    yield from found.partitions(CHUNK)


def _stored(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, Sealed):
        return sa.LargeBinary()
    return sa.String() if isinstance(kind, sa.Enum) else kind


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case memoryview() | bytearray():
            return bytes(value)
        case bool():
            return int(value)
        case _:
            return value


def _open(target: sa.Engine) -> None:
    """The switch: ids go on after the highest, and the database is one to work on."""
    with db.writing(target) as session:
        for table in tables():
            if [column.name for column in table.primary_key] == ["id"]:
                last = session.execute(sa.select(sa.func.max(table.c.id))).scalar()
                if last is not None:
                    session.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), last)))
        session.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": db.revisions()[-1]})
    with target.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")
