from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from mailer import db
from mailer.errors import Mistake


def test_the_migrations_make_the_schema_of_the_models(engine: sa.Engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


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


def test_what_is_deleted_is_gone_from_the_files(engine: sa.Engine, tmp_path: Path):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x TEXT)")
        connection.exec_driver_sql("INSERT INTO t VALUES ('Zetterqvist')")
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM t")

    db.forget_log(engine)

    assert not any(b"Zetterqvist" in path.read_bytes() for path in tmp_path.iterdir())
