from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from mailer import db
from mailer.errors import Mistake


def test_the_migrations_make_the_schema_of_the_models(engine: sa.Engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


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
