"""Letters about events

Why: a ladder of letters is chosen by an event's kind; each is kept with the step it is of, and which events a letter
told in which revision, so that those who were told another time or place can be told of the change, and nobody else.
Safe while the version before still runs: it does not know the column, the default fills it, and the tables are new.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    with op.batch_alter_table("event") as table:
        table.add_column(
            sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False, server_default="event")
        )
    op.create_table(
        "variant_event",
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"]),
        sa.PrimaryKeyConstraint("variant_id", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_variant_event_event_id", "variant_event", ["event_id"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("left_out", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"]),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"]),
        sa.PrimaryKeyConstraint("mailing_id"),
    )
    op.create_index("ix_reminder_event_id", "reminder", ["event_id"], unique=False)
