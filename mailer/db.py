"""The database: engine, transactions, migrations.

SQLite runs in WAL mode with every commit on disk (synchronous=FULL); a writer says so when it begins, because
a transaction that starts by reading and then writes can be refused although it waited (SQLITE_BUSY_SNAPSHOT).
On PostgreSQL writers take turns too, so that what one of them has read stays true until it commits; only the post
office, which locks the rows it decides on, writes beside them (`writing_beside`).
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlmodel import Session, create_engine

from mailer.errors import Mistake, Trouble
from mailer.sentences import N_, Progress, quiet

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
_WRITING = "utskick_writing"
_PROVISIONAL = "utskick_provisional"
_FRUGAL = "utskick_frugal"
# Of its file a connection to SQLite keeps so many kB: the 2 MB of its default cannot hold an index that a plan fills.
_PAGES, _FEW_PAGES = 16_384, 4_096
MOVING = "moving"  # what the schema calls itself while rows are moved into it
CHANGED = "utskick_changed"
_TURNS = 0x7574736B  # "utsk": the class of the advisory locks by which one of many is active
# The server lets go of a machine that fell silent within some ten seconds, so that another takes over.
_NOTICE_OUR_END = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2", "tcp_keepalives_count = 3")
_ALONE = 0x7574736B69636B  # "utskick": of the advisory lock that makes PostgreSQL's writers take turns
_REFUSED = ("password", "no pg_hba.conf entry")  # how a server or its library says that it does not let us in
# SQLSTATE, of what is wrong with the world and is no OperationalError: insufficient_privilege,
# read_only_sql_transaction, idle_in_transaction_session_timeout
_OF_THE_WORLD = ("42501", "25006", "25P03")
# What SQLite says of its file, and what follows from it.
_OF_THE_FILE = {
    "unable to open": N_(
        "The database cannot be opened: look that the data folder is there and that this account may write in it."
    ),
    "readonly": N_("The database cannot be written: give this account the right to write in the data folder."),
    "is full": N_("The disk is full: make room, and run the command again. Nothing was half done."),
    "not a database": N_("The database file is damaged: put a backup of the data folder back."),
    "malformed": N_("The database file is damaged: put a backup of the data folder back."),
}
_DATA_ERRORS = "22"  # the SQLSTATE class whose sentences quote values

# A server that went away without a word is noticed within a minute, and not after the system's two hours.
_POSTGRESQL: dict[str, Any] = {
    "application_name": "utskick",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def open_engine(url: str) -> sa.Engine:
    """Return an engine for `sqlite:///...` or `postgresql+psycopg://...`. raises Mistake for anything else"""
    try:
        address = sa.make_url(url)
        return _OPEN[address.drivername](address)
    except (ArgumentError, ValueError, KeyError) as error:  # not shown: the address may hold a password
        raise Mistake(
            "The database of the config cannot be opened: write sqlite:///FILE or postgresql+psycopg://HOST/NAME."
        ) from error


def _open_sqlite(address: sa.URL) -> sa.Engine:
    engine = create_engine(address, hide_parameters=True)  # an error quotes no values: they are members
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_postgresql(address: sa.URL) -> sa.Engine:
    options = {name: value for name, value in _POSTGRESQL.items() if name not in address.query}
    try:
        engine = create_engine(address, hide_parameters=True, connect_args=options, pool_pre_ping=True)
    except ImportError as error:
        raise Mistake("PostgreSQL needs its driver: pip install 'utskick[postgres]'.") from error
    sa.event.listen(engine, "handle_error", _quote_nothing)
    if "options" not in address.query:
        sa.event.listen(engine, "connect", _limit_standing_still)
    return engine


_OPEN = {"sqlite": _open_sqlite, "postgresql+psycopg": _open_postgresql}


def _limit_standing_still(connection: Any, _: object) -> None:
    """Let whoever stands still inside a transaction (stopped, or its machine frozen) hold its locks for no longer.

    Asked for afterwards: as a startup option it would be refused by poolers, which fit in session mode.
    """
    connection.autocommit = True
    connection.execute("SET idle_in_transaction_session_timeout = '5min'")
    connection.autocommit = False


def _quote_nothing(context: sa.ExceptionContext) -> None:
    """Cut an error down to its first sentence: PostgreSQL's DETAIL quotes the row it is about."""
    error, told = context.original_exception, context.sqlalchemy_exception
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    if said is None or told is None:
        return
    state = getattr(error, "sqlstate", None) or ""
    error.args = (type(error).__name__ if state.startswith(_DATA_ERRORS) else said,)
    told.args = (f"({type(error).__name__}) {error}",)


def _prepare_sqlite(connection: SqliteConnection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{_PAGES}",
        "secure_delete=ON",  # who is erased leaves nothing in free pages
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    _keep_pages(connection, _FEW_PAGES if options.get(_FRUGAL) else _PAGES)
    if not options.get(_WRITING):
        connection.exec_driver_sql("BEGIN")
        return
    # By the driver itself: no transaction may have begun. What is not on disk after a commit is with the next one.
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101  # it begins something
    driver.execute(f"PRAGMA synchronous={'NORMAL' if options.get(_PROVISIONAL) else 'FULL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _keep_pages(connection: sa.Connection, number: int) -> None:
    """Let a connection keep so many kB; who sends and who plans may share a pool, as in the demo."""
    info = connection.connection.info  # of the connection, for as long as it is open
    if info.get(_FRUGAL, _PAGES) != number:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{number}")
        info[_FRUGAL] = number


def frugal(engine: sa.Engine) -> sa.Engine:
    """Return `engine` for a process that keeps few pages in memory: it seldom reads one again before it was changed."""
    return engine.execution_options(**{_FRUGAL: True})


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Session]:
    """One consistent view; nothing is kept of what is changed in it."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with named_trouble(), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """One transaction: all of it is kept, or nothing when the block raises. One writer at a time on either database.

    Whoever watches learns of it when it commits: on SQLite by `user_version`, on PostgreSQL by a notice on CHANGED.
    """
    with writing_beside(engine) as session:
        if engine.dialect.name == "postgresql":
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ALONE), sa.func.pg_notify(CHANGED, "")))
        else:
            _count_on(session.connection())
        yield session


def _count_on(connection: sa.Connection) -> None:
    """Count this transaction in the one number of a SQLite file that is its owner's to use, and stays 32 bits wide.

    https://www.sqlite.org/pragma.html#pragma_user_version
    """
    number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) & 0x7FFFFFFF}")


@contextmanager
def writing_beside(engine: sa.Engine) -> Iterator[Session]:
    """As `writing`, but on PostgreSQL others write at the same time: lock the rows you decide on. Nobody is told."""
    with named_trouble(), Session(engine.execution_options(**{_WRITING: True})) as session, session.begin():
        yield session


@contextmanager
def writing_provisionally(engine: sa.Engine) -> Iterator[Session]:
    """As `writing_beside`, for rows that mean nothing before a later transaction of another kind says so.

    A commit waits for no disk, so nobody waits for the lock meanwhile. The log is one: the commit that gives these rows
    their meaning takes them to the disk with it, and after a power cut both are there, or not that one.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """
    with writing_beside(engine.execution_options(**{_PROVISIONAL: True})) as session:
        if engine.dialect.name == "postgresql":
            session.execute(sa.text("SET LOCAL synchronous_commit = off"))
        yield session


def outlive_power_cuts(connection: sa.Connection) -> None:
    """Let this transaction be on disk when it is committed, also on a server that puts that off by default.

    SQLite does so always. https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit = on")


Ours = Callable[[], bool]


@contextmanager
def turn(engine: sa.Engine, name: str) -> Iterator[Ours]:
    """Try to be the only one at `name` on any machine; yield a question: is it ours, still? It ends with the process.

    SQLite is one machine, where who does something twice is kept apart by the rows alone: there it is always ours.
    """
    if engine.dialect.name == "sqlite":
        yield lambda: True
        return
    key = zlib.crc32(name.encode()) & 0x7FFFFFFF
    with named_trouble(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.detach()  # a session of its own: closing it lets go of the lock
        for setting in _NOTICE_OUR_END:
            connection.exec_driver_sql(f"SET {setting}")
        had = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_TURNS, key))))
        yield lambda: had and _answers(connection)


def _answers(connection: sa.Connection) -> bool:
    try:
        connection.execute(sa.select(1))
    except DatabaseError:
        return False
    return True


def forget_deleted(engine: sa.Engine, *tables: str) -> None:
    """Take what was deleted from `tables` out of the database's files too.

    SQLite's write-ahead log keeps it until that is written over; a reader may prevent it. PostgreSQL keeps it in the
    table, which is written anew: nobody can use the table meanwhile. Its log and its replicas are beyond our reach.
    """
    if engine.dialect.name == "sqlite":
        with named_trouble(), engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # no checkpoint inside a transaction
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with named_trouble(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"VACUUM FULL {', '.join(tables)}")


@contextmanager
def named_trouble() -> Iterator[None]:
    """Say in a sentence what is wrong with the database, as Trouble, or a Mistake where a person can mend it."""
    try:
        yield
    except DatabaseError as error:
        state = getattr(error.orig, "sqlstate", None)
        # The others are about what was asked, not the world.
        if type(error) not in {DatabaseError, OperationalError} and state not in _OF_THE_WORLD:
            raise
        raise _in_a_sentence(str(error.orig)) from error


def _in_a_sentence(reason: str) -> Trouble | Mistake:
    if any(words in reason for words in _REFUSED):
        return Mistake(
            "The database does not let us in: correct the user and the password in database of the config, "
            "or in UTSKICK_DATABASE."
        )
    if reason.startswith("connection"):  # psycopg's own word for whatever went wrong before we were in
        first = reason.partition("\n")[0].removeprefix("connection failed: ").removeprefix("connection is bad: ")
        return Trouble("The database server cannot be reached: {reason}.", reason=first.rstrip("."))
    if "locked" in reason:
        return Trouble("The database is locked by another program; try again in a moment.")
    for words, sentence in _OF_THE_FILE.items():
        if words in reason:
            return Trouble(sentence)
    return Trouble("The database cannot be used: {reason}.", reason=" ".join(reason.split()).rstrip(".?"))


def upgrade(engine: sa.Engine, progress: Progress = quiet) -> None:
    """Bring the schema to what this code needs. Safe to repeat; refuses a database newer than the code."""
    from alembic import command  # noqa: PLC0415  # a quarter of a command's start-up, and only this needs it
    from alembic.config import Config  # noqa: PLC0415  # as above

    require_known(engine)
    current, known = revision(engine), revisions()
    missing = len(known) if current is None else len(known) - 1 - known.index(current)
    applied = count(1)
    config = Config()
    config.attributes["applied"] = lambda: progress("Upgrading", next(applied), missing)
    config.set_main_option("script_location", str(_MIGRATIONS))
    with named_trouble(), engine.execution_options(**{_WRITING: True}).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revisions() -> list[str]:
    """Return the revisions of the schema that this code knows, oldest first: what their files are numbered."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def revision(engine: sa.Engine) -> str | None:
    """Return the schema's revision, None for an empty database."""
    with named_trouble(), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def stamp(engine: sa.Engine, revision: str) -> None:
    """Let the schema call itself `revision`."""
    with writing(engine) as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def require_known(engine: sa.Engine) -> None:
    """Refuse a database that a newer version has already changed, or that a move did not come to its end in."""
    current = revision(engine)
    if current == MOVING:
        raise Mistake("A move into this database was interrupted: run `utskick db move` again.")
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
