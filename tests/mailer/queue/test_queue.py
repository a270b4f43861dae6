"""Wake-ups on both sides; on PostgreSQL through Procrastinate, with its real worker."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db, keys
from mailer.app import App, Places
from mailer.cli import main
from mailer.errors import Mistake
from mailer.jobs.attending import attend
from mailer.jobs.clock import start_clock
from mailer.queue import DELIVER, open_queue, schema
from tests.builders import a_district, some_settings
from tests.databases import ONLY_POSTGRESQL
from tests.postgres import Cluster
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[App]:
    keys.create(tmp_path / "keys.toml")
    places = Places(config=tmp_path / "config.toml", data=tmp_path, keys=tmp_path / "keys.toml")
    app = App(some_settings().model_copy(update={"database": database, "sources": {}}), places)
    with db.writing(app.bare_engine) as session:
        session.add(a_district())  # that config names
    yield app
    app.close()


def jobs(engine: sa.Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT task_name, status::text, args::text FROM procrastinate_jobs ORDER BY id"
        )
        return [(row[0], row[1], row[2]) for row in rows]


@ONLY_POSTGRESQL
def test_a_wake_up_reaches_a_worker_at_once_and_leaves_nothing(app: App):
    async def work() -> None:
        stop, woken = asyncio.Event(), asyncio.Event()
        attending = asyncio.create_task(attend(app, stop, woken.set))
        await asyncio.to_thread(app.queue.defer, DELIVER, key="weekly:2024-W10")
        await asyncio.wait_for(woken.wait(), PATIENCE)
        stop.set()
        await asyncio.wait_for(attending, PATIENCE)

    asyncio.run(work())

    assert jobs(app.engine) == []


@ONLY_POSTGRESQL
def test_a_job_that_waits_already_is_not_deferred_again_and_carries_its_key_alone(engine: sa.Engine):
    queue = open_queue(engine)
    for key in ("1", "1", "2"):
        queue.defer("keep_editions", key=key)
    queue.close()

    assert jobs(engine) == [("keep_editions", "todo", '{"key": "1"}'), ("keep_editions", "todo", '{"key": "2"}')]


@ONLY_POSTGRESQL
def test_a_job_of_a_dead_worker_is_swept_and_its_work_found(engine: sa.Engine):
    queue = open_queue(engine)
    queue.defer("keep_editions")
    with engine.begin() as connection:  # taken by a worker that then was no more
        connection.exec_driver_sql(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        )
        connection.exec_driver_sql(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        )

    queue.defer("keep_editions")
    queue.sweep()
    queue.close()

    assert jobs(engine) == [("keep_editions", "todo", '{"key": ""}')]


def test_a_lost_wake_up_harms_nothing(postgres: Cluster):
    queue = open_queue(db.open_engine(postgres.url("atlantis")))

    queue.defer(DELIVER)  # says so in the log
    queue.close()


def test_of_many_one_is_active_and_the_next_follows_it(engine: sa.Engine):
    with ExitStack() as first, db.turn(engine, "clock") as before:
        ours = first.enter_context(db.turn(engine, "report"))
        with db.turn(engine, "report") as theirs:
            assert ours()
            assert theirs() is (engine.dialect.name == "sqlite")  # one machine, where the rows alone decide
        first.close()
        with db.turn(engine, "report") as theirs:
            assert theirs()
        assert before()


def test_the_queues_schema_is_made_once_and_remembered(postgres: Cluster):
    engine = db.open_engine(postgres.url(postgres.create()))
    with pytest.raises(Mistake, match="db upgrade"):
        schema.require_current(engine)

    schema.upgrade(engine)
    schema.require_current(engine)
    with db.writing(engine) as session:  # as a version of it would that was made before its last change
        last = session.execute(sa.text("SELECT max(name) FROM procrastinate_applied")).scalar_one()
        session.execute(sa.text("DELETE FROM procrastinate_applied WHERE name = :last"), {"last": last})
    with pytest.raises(Mistake, match="db upgrade"):
        schema.require_current(engine)
    schema.upgrade(engine)
    schema.upgrade(engine)

    schema.require_current(engine)
    engine.dispose()


@ONLY_POSTGRESQL
def test_a_clock_rings_at_once_for_what_was_missed(app: App):
    with start_clock(app):
        wait_until(lambda: {job for job, *_ in jobs(app.engine)} >= {DELIVER, "keep_editions", "finish_imports"})


def a_clock(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  our own
        [sys.executable, "-m", "mailer.cli", "clock", "--config", str(folder / "config.toml")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def heard(clock: "subprocess.Popen[str]", words: str) -> None:
    assert clock.stderr is not None
    for line in clock.stderr:
        if words in line:
            return
    raise AssertionError(words)


@pytest.mark.parametrize("site_database", ["postgresql"], indirect=True)
def test_when_the_active_clock_is_killed_another_takes_over(tmp_path: Path, site_database: str):
    with pytest.raises(SystemExit):
        main(["init", "--config", str(tmp_path / "config.toml")])
    with ExitStack() as clocks:
        first = clocks.enter_context(a_clock(tmp_path))
        clocks.callback(first.kill)
        heard(first, "this clock is active")
        second = clocks.enter_context(a_clock(tmp_path))
        clocks.callback(second.kill)
        heard(second, "stands by")

        first.kill()
        heard(second, "this clock is active")

        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
    assert site_database
