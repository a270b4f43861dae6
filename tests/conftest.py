"""What every test stands on: open keys, a real database, a moment."""

import logging
import os
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, settings
from sqlmodel import Session

from mailer import db
from mailer.queue import schema
from subscribers import sealed
from tests.builders import KEYS
from tests.databases import BOTH
from tests.postgres import Cluster, Slate

# A busy machine fails no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under UTSKICK_NO_SKIP a skipped test is a failure: nothing may hide there."""
    report = yield
    if os.environ.get("UTSKICK_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under UTSKICK_NO_SKIP: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _open_keys() -> None:
    sealed.unlock(KEYS)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command sets up logging for its process; the next test must not write to this one's stderr."""
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("UTSKICK_", "PG", "LC_", "LANG")) and name != "UTSKICK_NO_SKIP":
            monkeypatch.delenv(name)


_connected: set[Any] = set()


@sa.event.listens_for(sa.Pool, "connect")
def _note(connection: Any, _: object) -> None:
    if hasattr(connection, "pgconn"):
        _connected.add(connection)


@pytest.fixture(autouse=True)
def _nobody_stays_connected() -> Iterator[None]:
    """psycopg warns of a connection that is forgotten, and a test may leave an App to itself."""
    yield
    while _connected:
        _connected.pop().close()


@pytest.fixture(scope="session")
def _empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once and copied for each test: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("schema") / "utskick.db"
    engine = db.open_engine(f"sqlite:///{path}")
    db.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def _template(postgres: Cluster) -> str:
    """As `_empty_file`, on PostgreSQL."""
    name = postgres.create()
    engine = db.open_engine(postgres.url(name))
    db.upgrade(engine)
    schema.upgrade(engine)
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def _slate(postgres: Cluster, _template: str) -> Iterator[Slate]:
    slate = Slate(postgres, _template)
    yield slate
    slate.close()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database of the test's own, once on each kind; ONLY_SQLITE asks for one of them."""
    if request.param == "sqlite":
        path = tmp_path / "utskick.db"
        path.write_bytes(request.getfixturevalue("_empty_file").read_bytes())
        yield f"sqlite:///{path}"
        return
    slate: Slate = request.getfixturevalue("_slate")
    yield slate.url
    slate.wipe()


@pytest.fixture(params=BOTH)
def site_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Where commands keep their things, once on each kind: SQLite in the data folder, or what UTSKICK_DATABASE names.

    The address is for looking behind the commands' back; of SQLite it supposes the folder `data` in `tmp_path`.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'utskick.db'}"
        return
    slate: Slate = request.getfixturevalue("_slate")
    monkeypatch.setenv("UTSKICK_DATABASE", slate.url)
    yield slate.url
    slate.wipe()


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    engine = db.open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    with db.writing(engine) as session:
        yield session


@pytest.fixture
def now() -> datetime:
    """A Monday at noon in Stockholm."""
    return datetime(2024, 3, 4, 11, 0, tzinfo=UTC)
