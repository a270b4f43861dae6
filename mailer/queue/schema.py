"""Procrastinate's own tables: made and upgraded by us, with its SQL files, and a table that says which were applied.

Its documentation leaves the bookkeeping to whoever uses it: https://procrastinate.readthedocs.io/en/stable/howto/production/migrations.html
"""

from importlib.resources import files

import sqlalchemy as sa

from mailer import db
from mailer.errors import Mistake

PREFIX = "procrastinate_"  # of all its tables, and of ours about them: Alembic leaves them alone
_APPLIED = "procrastinate_applied"


def is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    """Tell Alembic, in its own form, what it shall look at: not the task queue's tables."""
    return not (kind == "table" and (name or "").startswith(PREFIX))


def upgrade(engine: sa.Engine) -> None:
    """Make its tables, or apply what is new since. Safe to repeat; each file is a transaction of its own."""
    if engine.dialect.name == "sqlite":
        return
    with db.writing(engine) as session:
        session.execute(sa.text(f"CREATE TABLE IF NOT EXISTS {_APPLIED} (name varchar(200) PRIMARY KEY)"))
        if not sa.inspect(session.connection()).has_table("procrastinate_jobs"):
            _run(session.connection(), files("procrastinate.sql").joinpath("schema.sql").read_text("utf-8"))
            _note(session.connection(), _known())
    for name in _missing(engine):
        with db.writing(engine) as session:
            _run(session.connection(), files("procrastinate.sql.migrations").joinpath(name).read_text("utf-8"))
            _note(session.connection(), [name])


def require_current(engine: sa.Engine) -> None:
    """raises Mistake when its tables are not those that the installed version was made for"""
    if engine.dialect.name != "sqlite" and _missing(engine):
        raise Mistake("The database is older than the program: run `utskick db upgrade`.")


def _known() -> list[str]:
    return sorted(each.name for each in files("procrastinate.sql.migrations").iterdir() if each.name.endswith(".sql"))


def _missing(engine: sa.Engine) -> list[str]:
    with db.reading(engine) as session:
        if not sa.inspect(session.connection()).has_table(_APPLIED):
            return _known()
        applied = set(session.execute(sa.text(f"SELECT name FROM {_APPLIED}")).scalars())  # noqa: S608  # ours
    return [name for name in _known() if name not in applied]


def _run(connection: sa.Connection, statements: str) -> None:
    connection.connection.cursor().execute(statements)  # past SQLAlchemy and without values: `%` and `:` mean nothing


def _note(connection: sa.Connection, names: list[str]) -> None:
    connection.execute(
        sa.text(f"INSERT INTO {_APPLIED} VALUES (:name)"),  # noqa: S608  # ours
        [{"name": name} for name in names],
    )
