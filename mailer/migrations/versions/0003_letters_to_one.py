"""Letters to one

Why: a confirmation goes out before a running mailing, by a rule of its own, once more when it is uncertain, and
perhaps to an address that is not the member's yet.
Safe while the version before still runs: it does not know the columns, and their defaults say what it does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

STREAM = sa.Enum("bulk", "statutory", "asked", name="stream", native_enum=False, length=16)


def upgrade() -> None:
    op.add_column("mailing", sa.Column("stream", STREAM, nullable=False, server_default="bulk"))
    op.add_column("mailing", sa.Column("repeats", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("mailing", sa.Column("address", sa.LargeBinary(), nullable=True))
    op.add_column("delivery", sa.Column("repeated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("batch", sa.Column("lane", sa.SmallInteger(), nullable=False, server_default="1"))
    op.drop_index("ix_batch_due", table_name="batch")
    op.create_index("ix_batch_due", "batch", ["state", "lane", "due_at"])
