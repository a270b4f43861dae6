"""Answers to events, and who has taken which shift

Why: members say whether they come; places and shifts are given in the order in which they are asked for.
Safe while the version before still runs: the tables are new, and its shifts are not gone.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0019"
down_revision = "0018"

_MEMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("event_shift") as table:
        table.add_column(sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "rsvp",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("member_id", _MEMBER, nullable=False),
        sa.Column("answer", sa.Enum("yes", "maybe", "no", name="answer", native_enum=False, length=16), nullable=False),
        sa.Column("companions", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("answered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id", "member_id"),
    )
    op.create_index("ix_rsvp_member_id", "rsvp", ["member_id"], unique=False)
    op.create_table(
        "taken_shift",
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("member_id", _MEMBER, nullable=False),
        sa.Column("taken_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("offered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("starts_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ends_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("place", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["shift_id"], ["event_shift.id"]),
        sa.PrimaryKeyConstraint("shift_id", "member_id"),
    )
    op.create_index("ix_taken_shift_member_id", "taken_shift", ["member_id"], unique=False)
