from pathlib import Path

import pytest

from tests.mailer.outbox.posting import Clock


@pytest.fixture(autouse=True)
def _asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice of PostgreSQL's takes some milliseconds; what these tests change has to count at the next letter."""
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journals(tmp_path: Path) -> Path:
    return tmp_path / "journal"
