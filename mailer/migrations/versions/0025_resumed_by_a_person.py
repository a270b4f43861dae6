"""When a person let a mailing go on

Why: a mailing that is held because too much of it comes back was held again a minute after it was resumed, for the same
bounces. What came back before a person decided is not counted again.
Safe while the version before still runs: it does not know the column, and without a time everything counts, as before.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("mailing", sa.Column("resumed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
