"""What came back

Why: bounces and complaints are kept event by event, beside the deliveries they are about.
Safe while the version before still runs: the table is new, and it knows nothing of it.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=128), nullable=False),
        sa.Column("kind", sa.Enum("bounce", "complaint", name="kind", native_enum=False, length=16), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("host_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("received_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "unknown user",
                "unknown host",
                "takes no mail",
                "moved",
                "disabled",
                "mailbox full",
                "filtered",
                "expired",
                "network",
                "blocked",
                "content",
                "system",
                "information",
                "unclear",
                name="cause",
                native_enum=False,
                length=16,
            ),
            nullable=True,
        ),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("reply", sqlmodel.sql.sqltypes.AutoString(length=8), nullable=False),
        sa.Column("words", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=False),
        sa.Column(
            "action",
            sa.Enum("nothing", "count", "suppress", "alarm", name="action", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column(
            "standing",
            sa.Enum("judged", "held", "dismissed", name="standing", native_enum=False, length=16),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_feedback_address", "feedback", ["address_key", "at"], unique=False)
    op.create_index("ix_feedback_mailing", "feedback", ["mailing_id", "kind"], unique=False)
    op.create_index("ix_feedback_member_id", "feedback", ["member_id"], unique=False)
