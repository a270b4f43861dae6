"""What every test stands on: open keys, a real database, a moment."""

import logging
import os
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from sqlmodel import Session

from mailer import db
from subscribers import sealed
from tests.builders import KEYS


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
    for name in ("UTSKICK_CONFIG", "UTSKICK_DATA", "UTSKICK_KEYS", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once and copied for each test: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("schema") / "utskick.db"
    engine = db.open_engine(f"sqlite:///{path}")
    db.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def engine(_empty_database: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "utskick.db"
    path.write_bytes(_empty_database.read_bytes())
    engine = db.open_engine(f"sqlite:///{path}")
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
