import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import Session, SQLModel

from mailer import db
from mailer.errors import Mistake, Trouble
from mailer.queue.schema import is_ours
from tests.databases import ONLY_POSTGRESQL, stored_in
from tests.postgres import Cluster
from tests.waiting import wait_until


def test_the_migrations_make_the_schema_of_the_models(engine: sa.Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_files_of_the_migrations_are_numbered_as_alembic_runs_them():
    scripts = ScriptDirectory(Path(db.__file__).parent / "migrations").walk_revisions()

    assert db.revisions() == [script.revision for script in scripts][::-1]


def test_upgrading_twice_changes_nothing(engine: sa.Engine):
    before = db.revision(engine)
    db.upgrade(engine)

    assert db.revision(engine) == before


def test_a_database_from_a_newer_version_is_refused(engine: sa.Engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'ffff'"))

    with pytest.raises(Mistake, match="newer version"):
        db.upgrade(engine)


def test_an_empty_database_says_what_to_run(tmp_path: Path):
    with pytest.raises(Mistake, match="utskick init"):
        db.require_current(db.open_engine(f"sqlite:///{tmp_path / 'new.db'}"))


def test_a_database_error_does_not_quote_what_it_was_given(engine: sa.Engine):
    with pytest.raises(sa.exc.IntegrityError) as error, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO district (id, slug) VALUES (1, :name)"), {"name": "Zetterqvist"})

    assert "Zetterqvist" not in str(error.value)


def test_what_is_deleted_is_gone_from_the_files(engine: sa.Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x TEXT)")
        connection.exec_driver_sql("INSERT INTO t VALUES ('Zetterqvist')")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM t")

    db.forget_deleted(engine, "t")

    assert b"Zetterqvist" not in stored_in(engine)


@pytest.mark.parametrize(
    ("content", "says"), [(b"This is no database. " * 200, "damaged: put a backup"), (None, "cannot be opened")]
)
def test_a_file_that_cannot_be_used_as_a_database_says_what_to_do(content: bytes | None, says: str, tmp_path: Path):
    file = tmp_path / "utskick.db"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    with pytest.raises(Trouble, match=says), db.reading(db.open_engine(f"sqlite:///{file}")) as session:
        session.connection()


def test_what_keeps_a_database_from_being_used_is_said_in_a_sentence(postgres: Cluster, tmp_path: Path):
    stranger = {"role": "stranger", "password": "fel"}
    for url, kind, says in (
        (f"postgresql+psycopg:///utskick?host={tmp_path}", Trouble, "server cannot be reached: connection to server"),
        (postgres.url("postgres", **stranger), Mistake, "does not let us in"),
        (postgres.url("atlantis"), Trouble, 'database "atlantis" does not exist'),
    ):
        with pytest.raises(kind, match=says) as error, db.reading(db.open_engine(url)) as session:
            session.connection()

        assert str(error.value).count("\n") == 0
        assert "fel" not in str(error.value).split()


def test_a_driver_that_is_not_installed_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not there

    with pytest.raises(Mistake, match=re.escape("pip install 'utskick[postgres]'")):
        db.open_engine("postgresql+psycopg://db.example.org/utskick")


@ONLY_POSTGRESQL
def test_writers_take_turns_and_those_beside_them_do_not(engine: sa.Engine):
    with db.writing(engine) as session, engine.connect() as other:
        free = sa.select(sa.func.pg_try_advisory_xact_lock(db._ALONE))
        session.execute(sa.text("SELECT 1"))
        assert other.scalar(free) is False
        with db.writing_beside(engine) as beside:
            beside.execute(sa.text("INSERT INTO topic (slug, name, name_en) VALUES ('a', 'b', 'c')"))
    with engine.connect() as other:
        assert other.scalar(free) is True


@ONLY_POSTGRESQL
def test_who_stands_still_inside_a_transaction_is_cut_off_and_has_a_trouble(engine: sa.Engine):
    def is_there(backend: int) -> bool:
        with db.reading(engine) as other:
            found = sa.text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = :pid)")
            return bool(other.scalar(found, {"pid": backend}))

    def stand_still() -> None:
        with db.writing_beside(engine) as session:
            assert session.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "5min"
            backend = session.scalar(sa.text("SELECT pg_backend_pid()"))
            session.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = '10ms'"))
            wait_until(lambda: not is_there(backend))
            session.execute(sa.text("SELECT 1"))

    with pytest.raises(Trouble, match="cannot be used"):  # the server's own words may be lost with its socket
        stand_still()


def test_the_disk_is_waited_for_by_what_counts_and_not_by_what_waits_for_that(engine: sa.Engine):
    """https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL, 1 is NORMAL."""
    of_sqlite = engine.dialect.name == "sqlite"
    ask = sa.text("PRAGMA synchronous" if of_sqlite else "SHOW synchronous_commit")

    def asked(writing: Callable[[sa.Engine], AbstractContextManager[Session]]) -> object:
        with writing(engine) as session:
            return session.scalar(ask)

    first, provisional, last = map(asked, (db.writing_beside, db.writing_provisionally, db.writing_beside))

    assert provisional == (1 if of_sqlite else "off")
    assert first == last
    if of_sqlite:  # the other is as its server is set
        assert last == 2
