"""An archive

Why: what was sent is shown later, by publication and district: this says which variant stands for which.
Safe while the version before still runs: the table is new, and what that version plans has no row in it.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "archived",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("publication", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("issue", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("district", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(length=5), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("corrected_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"]),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mailing_id", "district", "language"),
    )
    op.create_index("ix_archived_place", "archived", ["publication", "district", "language"])
    op.create_index("ix_archived_variant_id", "archived", ["variant_id"])
