import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from mailer.app import App, Places
from mailer.cli import main
from mailer.jobs.attending import attend
from mailer.jobs.news import fetch_news, fetch_source
from mailer.news.models import SourceState
from tests.waiting import PATIENCE


@pytest.fixture
def app(tmp_path: Path, site_database: str) -> App:
    del site_database
    config = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(config)])
    source = '\n[sources.inre]\nurl = "http://127.0.0.1:9/feed"\n'
    config.write_text(config.read_text(encoding="utf-8") + source, encoding="utf-8")
    return App.load(Places.of(config, None, {}), os.environ)


def handed_out(app: App) -> list[tuple[str, str]]:
    """Name the jobs that wait in the queue, and what each is about."""
    with app.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT task_name, args::text FROM procrastinate_jobs ORDER BY id")
        return [(row[0], json.loads(row[1])["key"]) for row in rows]


def test_each_source_is_a_job_of_its_own_that_is_handed_out_or_done_at_once(app: App, now: datetime):
    for _ in range(2):
        fetch_news(app, now)
    with app.reading() as session:
        asked = [state.source for state in session.exec(select(SourceState))]

    if app.engine.dialect.name == "sqlite":
        assert asked == ["inre"]
    else:
        assert asked == []
        assert handed_out(app) == [("fetch_source", "inre")]
    app.close()


@pytest.mark.parametrize("site_database", ["postgresql"], indirect=True)
def test_any_worker_takes_the_job_of_a_source(app: App, now: datetime):
    fetch_news(app, now)

    async def work() -> None:
        stop = asyncio.Event()
        attending = asyncio.create_task(attend(app, stop, lambda: None))
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(handed_out, app):  # noqa: ASYNC110  the database tells nobody
                await asyncio.sleep(0.02)
        stop.set()
        await attending

    asyncio.run(work())

    with app.reading() as session:
        assert [state.source for state in session.exec(select(SourceState))] == ["inre"]
    app.close()


def test_a_ring_fetches_what_is_due_and_notes_what_is_broken(app: App, now: datetime):
    fetch_source(app, now, "inre")
    fetch_source(app, now + timedelta(minutes=1), "inre")
    with app.reading() as session:
        state = session.exec(select(SourceState)).one()

    assert state.fetched_at == state.broken_since == now  # the second ring came too early to ask again
    assert state.error is not None

    fetch_source(app, now + timedelta(minutes=16), "inre")
    with app.reading() as session:
        state = session.exec(select(SourceState)).one()

    assert (state.fetched_at, state.broken_since) == (now + timedelta(minutes=16), now)
