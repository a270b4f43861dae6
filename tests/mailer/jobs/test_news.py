import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from mailer.app import App, Places
from mailer.cli import main
from mailer.jobs.news import fetch_news
from mailer.news.models import SourceState


@pytest.fixture
def app(tmp_path: Path, site_database: str) -> App:
    del site_database
    config = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(config)])
    source = '\n[sources.inre]\nurl = "http://127.0.0.1:9/feed"\n'
    config.write_text(config.read_text(encoding="utf-8") + source, encoding="utf-8")
    return App.load(Places.of(config, None, {}), os.environ)


def test_a_ring_fetches_what_is_due_and_notes_what_is_broken(app: App, now: datetime):
    fetch_news(app, now)
    fetch_news(app, now + timedelta(minutes=1))
    with app.reading() as session:
        state = session.exec(select(SourceState)).one()

    assert state.fetched_at == state.broken_since == now  # the second ring came too early to ask again
    assert state.error is not None

    fetch_news(app, now + timedelta(minutes=16))
    with app.reading() as session:
        state = session.exec(select(SourceState)).one()

    assert (state.fetched_at, state.broken_since) == (now + timedelta(minutes=16), now)
