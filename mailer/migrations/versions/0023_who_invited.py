"""By whose link somebody signs up, and how many newcomers each invitation brought

Why: members invite others by a link of their own, and are thanked. Who came by it is not stored.
Safe while the version before still runs: the new column is empty, and the table is new.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    with op.batch_alter_table("sign_up") as table:
        table.add_column(sa.Column("recruiter_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "recruit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recruiter_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_recruit_recruiter_id", "recruit", ["recruiter_id"], unique=False)
