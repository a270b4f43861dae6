import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col

from mailer import db
from mailer.outbox import control
from mailer.outbox.manifest import Occasion
from mailer.outbox.permission import Permission, _SqliteWatch, ask
from subscribers.models import Subscription
from tests.builders import MOMENT
from tests.databases import ONLY_SQLITE
from tests.mailer.outbox.posting import KEY, a_mailing

PATIENCE = timedelta(minutes=1).total_seconds()  # a deadline, never a measure


def test_whatever_anybody_writes_is_noticed_without_asking(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 2 * PATIENCE)
    mailing = a_mailing(engine)
    with Permission(engine, lambda: MOMENT) as permission:
        permission.refresh()
        assert permission.going(mailing)

        with db.writing(engine) as session:
            control.pause(session.connection(), KEY)

        deadline = time.monotonic() + PATIENCE
        while permission.going(mailing):
            assert time.monotonic() < deadline
            permission.refresh()


def test_a_pass_of_the_event_loop_asks_once_the_next_one_again(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 0.0)
    mailing = a_mailing(engine)
    begins: list[Callable[[], None]] = []
    with Permission(engine, lambda: MOMENT, after_pass=begins.append) as permission:
        permission.refresh_once_a_pass()
        assert permission.going(mailing)
        with db.writing(engine) as session:
            control.pause(session.connection(), KEY)

        permission.refresh_once_a_pass()
        assert permission.going(mailing)
        begin_next_pass = begins.pop()
        assert begins == []

        begin_next_pass()
        permission.refresh_once_a_pass()
        assert not permission.going(mailing)


def test_what_the_post_office_writes_of_itself_makes_nobody_ask_again_at_once(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 2 * PATIENCE)
    mailing = a_mailing(engine)
    with Permission(engine, lambda: MOMENT) as permission:
        permission.refresh()
        assert permission.going(mailing)

        with db.writing_beside(engine) as session:
            control.pause(session.connection(), KEY)
        permission.refresh()
        assert permission.going(mailing)

        monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 0.0)
        permission.refresh()
        assert not permission.going(mailing)


def test_a_worker_that_hears_of_no_change_remembers_some_members_and_not_the_whole_list(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mailer.outbox.permission._REMEMBERED", 3)
    mailing = a_mailing(engine, 12)
    occasion = Occasion(mailing, "weekly", "digest", MOMENT, MOMENT + timedelta(days=1), {}, {})
    with Permission(engine, lambda: MOMENT) as permission:
        for member in range(1, 13):
            assert permission.going(mailing)
            assert permission.allowed(occasion, member, [member, member % 12 + 1])
            assert member in permission.known_to_be_allowed(mailing)
            assert len(permission.known_to_be_allowed(mailing)) <= 3 + 2


def test_what_was_told_with_a_batch_is_believed_unless_anything_changed_since(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 2 * PATIENCE)
    mailing = a_mailing(engine, 2)
    occasion = Occasion(mailing, "weekly", "digest", MOMENT, MOMENT + timedelta(days=1), {}, {})
    with Permission(engine, lambda: MOMENT) as permission, engine.connect() as connection:
        permission.refresh()
        before = permission.changes
        told = ask(connection, occasion, [1, 2, 99], now=MOMENT)
        connection.rollback()
        permission.refresh()
        permission.learn(occasion, told, changes=before)
        assert permission.known_to_be_allowed(mailing) == ()  # nobody knows yet whether it is being sent
        assert permission.going(mailing)
        assert permission.known_to_be_allowed(mailing) == {1, 2}

        with db.writing(engine) as session:
            session.execute(sa.delete(Subscription).where(col(Subscription.member_id) == 1))
        deadline = time.monotonic() + PATIENCE
        while permission.changes == before:
            assert time.monotonic() < deadline
            permission.refresh()
        permission.learn(occasion, told, changes=before)

        assert not permission.allowed(occasion, 1, [2])
        assert permission.allowed(occasion, 2, [])


@ONLY_SQLITE
def test_sqlite_tells_of_a_writing_and_for_some_time_not_of_what_is_written_beside(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 2 * PATIENCE)
    with engine.connect() as connection:
        watch = _SqliteWatch(connection)
        assert watch.changed()
        assert not watch.changed()

        with db.writing(engine):
            pass
        assert watch.changed()
        with db.writing_beside(engine) as session:
            session.execute(sa.text("CREATE TABLE beside (x)"))
        assert not watch.changed()


@ONLY_SQLITE
def test_whoever_watches_leaves_sqlite_its_locks(engine: sa.Engine):
    """A process that opens and closes a file of SQLite's lets go of all its locks on it, and others think it is gone.

    https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """

    def locks() -> list[str]:
        file = Path(f"{engine.url.database}-shm").stat().st_ino
        mine = (line.split()[1:] for line in Path("/proc/locks").read_text().splitlines())
        return [" ".join(lock) for lock in mine if lock[4].endswith(f":{file}") and lock[3] == str(os.getpid())]

    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA data_version").fetchone()
        before = locks()
        assert before

        with Permission(engine, lambda: MOMENT) as permission:
            permission.refresh()
            assert set(before) <= set(locks())
        assert set(before) <= set(locks())
