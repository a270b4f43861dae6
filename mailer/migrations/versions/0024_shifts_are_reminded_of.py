"""What the holder of a shift saw of its event, and whether they were reminded of the shift

Why: who has a shift is told of a changed event by what they saw when they took it, and is reminded the day before.
Whoever has one already is taken to know the event as it is now: they were told by other letters or not at all before.
Safe while the version before still runs: both columns have a value where it writes none.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    with op.batch_alter_table("taken_shift") as table:
        table.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("reminded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.execute(
        "UPDATE taken_shift SET sequence = (SELECT event.sequence FROM event JOIN event_shift"
        " ON event_shift.event_id = event.id WHERE event_shift.id = taken_shift.shift_id)"
    )
