"""docs/privacy.md leaves out no table of the database."""

import re
from pathlib import Path

import sqlalchemy as sa

from tests.databases import ONLY_SQLITE

PRIVACY = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")


@ONLY_SQLITE  # PostgreSQL has a task queue beside, of which this page says so
def test_every_table_is_named_with_what_it_holds_or_that_it_holds_nothing_about_a_person(engine: sa.Engine):
    named = set(re.findall(r"`(\w+)`", PRIVACY))

    assert set(sa.inspect(engine).get_table_names()) - named == {"alembic_version"}
