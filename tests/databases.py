"""Which databases a test runs on: both, unless it says that it is about one of them. And what lies on their disks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

BOTH = ("sqlite", "postgresql")
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def everything_in(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))), key=repr)  # noqa: S608  # the database's own names
            for name in sa.inspect(connection).get_table_names()
        }


def stored_in(engine: sa.Engine) -> bytes:
    """Return every byte that a database has on disk, of PostgreSQL without the log, which all tests share."""
    return b"".join(path.read_bytes() for path in _files(engine))


def _files(engine: sa.Engine) -> Iterator[Path]:
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        yield from path.parent.glob(f"{path.name}*")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")  # what was committed is in the files
        data = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
        number = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()")
        yield from (data / "base" / str(number.scalar_one())).iterdir()


def nowhere(engine: sa.Engine, folder: Path) -> str:
    """Return an address of the same kind at which there is no database."""
    gone = folder / "gone" / "away"
    return f"sqlite:///{gone}" if engine.dialect.name == "sqlite" else f"postgresql+psycopg:///utskick?host={gone}"
