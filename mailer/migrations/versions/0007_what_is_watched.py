"""What is watched: tallies, living workers, and how much each batch still holds

Why: any process can tell how the post office is without counting a million deliveries.
Safe while the version before still runs: it does not know the tables, and leaves the new column as it is.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("batch", sa.Column("waiting", sa.Integer(), nullable=True))
    op.create_table(
        "tally",
        sa.Column("provider", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("number", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "what"),
    )
    op.create_table(
        "presence",
        sa.Column("worker", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("seen_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
