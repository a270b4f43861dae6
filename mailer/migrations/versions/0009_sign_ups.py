"""Sign-ups

Why: what somebody asked for on a page waits here, sealed, until its mailbox has confirmed it.
Safe while the version before still runs: the table is new, and it knows nothing of it.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "sign_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("publication", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("district", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(length=5), nullable=False),
        sa.Column("wording", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("shown", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_up_address_key", "sign_up", ["address_key"])
    op.create_index("ix_sign_up_asked_at", "sign_up", ["asked_at"])
    op.create_index("ix_sign_up_member_id", "sign_up", ["member_id"])
