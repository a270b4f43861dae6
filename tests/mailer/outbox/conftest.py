import pytest


@pytest.fixture(autouse=True)
def _asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice of PostgreSQL's takes some milliseconds; what these tests change has to count at the next letter."""
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 0.0)
