"""Wishes to swap one shift for another

Why: two members exchange their shifts in one step.
Safe while the version before still runs: it knows nothing of the table, and deletes no shift that has a row in it
but one that nobody has.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "shift_swap",
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wanted_id", sa.Integer(), nullable=False),
        sa.Column("proposed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("told_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["shift_id"], ["event_shift.id"]),
        sa.ForeignKeyConstraint(["wanted_id"], ["event_shift.id"]),
        sa.PrimaryKeyConstraint("shift_id", "member_id", "wanted_id"),
    )
    op.create_index("ix_shift_swap_member_id", "shift_swap", ["member_id"])
