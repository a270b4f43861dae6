"""Room for outcomes on the pages of deliveries

Why: on PostgreSQL a row that is updated and stays on its page is in no index anew, but planning filled the pages.
Safe while the version before still runs: it notices nothing. What is there already stays as it lies.
"""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 50)")
