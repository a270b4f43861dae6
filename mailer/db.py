"""The database: engine, transactions, migrations.

SQLite runs in WAL mode with every commit on disk (synchronous=FULL); a writer says so when it begins, because
a transaction that starts by reading and then writes can be refused although it waited (SQLITE_BUSY_SNAPSHOT).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlmodel import Session, create_engine

from mailer.errors import Mistake, Trouble

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
_WRITING = "utskick_writing"


def open_engine(url: str) -> sa.Engine:
    """Return an engine for `sqlite:///...` or `postgresql+psycopg://...`. raises Mistake for anything else"""
    try:
        engine = create_engine(url, hide_parameters=True)  # an error quotes no values: they are members
    except (ArgumentError, ModuleNotFoundError) as error:  # not shown: the address may hold a password
        raise Mistake(
            "The database of the config cannot be opened: write sqlite:///FILE or postgresql+psycopg://HOST/NAME, "
            "and install the driver it needs."
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: SqliteConnection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # who is erased leaves nothing in free pages
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Session]:
    """One consistent view; nothing is kept of what is changed in it."""
    with _named_trouble(), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """One transaction: all of it is kept, or nothing when the block raises."""
    with _named_trouble(), Session(engine.execution_options(**{_WRITING: True})) as session, session.begin():
        yield session


def forget_log(engine: sa.Engine) -> None:
    """Empty SQLite's write-ahead log, which keeps erased rows until it is written over. A reader may prevent it."""
    if engine.dialect.name == "sqlite":
        with _named_trouble(), engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # no checkpoint inside a transaction
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _named_trouble() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if type(error) not in {DatabaseError, OperationalError}:  # the others are about what was asked, not the world
            raise
        reason = " ".join(str(error.orig).split()).rstrip(".?")
        if "locked" in reason:
            raise Trouble("The database is locked by another program; try again in a moment.") from error
        raise Trouble("The database cannot be used: {reason}.", reason=reason) from error


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to what this code needs. Safe to repeat; refuses a database newer than the code."""
    from alembic import command  # noqa: PLC0415  # a quarter of a command's start-up, and only this needs it
    from alembic.config import Config  # noqa: PLC0415  # as above

    require_known(engine)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.execution_options(**{_WRITING: True}).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revisions() -> list[str]:
    """Return the revisions of the schema that this code knows, oldest first: what their files are numbered."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def revision(engine: sa.Engine) -> str | None:
    """Return the schema's revision, None for an empty database."""
    with _named_trouble(), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def require_known(engine: sa.Engine) -> None:
    """Refuse a database that a newer version has already changed."""
    current = revision(engine)
    if current is not None and current not in revisions():
        raise Mistake("The database was made by a newer version of Utskick: upgrade the program.")


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a schema that is not the one this code was written for."""
    require_known(engine)
    current = revision(engine)
    if current is None:
        raise Mistake("There is no database yet: run `utskick init`.")
    if current != revisions()[-1]:
        raise Mistake("The database is older than the program: run `utskick db upgrade`.")
