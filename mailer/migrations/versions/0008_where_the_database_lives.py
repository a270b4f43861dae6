"""Where the database lives, and how many leases it has counted

Why: a backup that is put back has forgotten what was sent since; by these two signs it is noticed, and held.
Safe while the version before still runs: the table is new, and it counts nothing.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "home",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("leases", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("restored_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
