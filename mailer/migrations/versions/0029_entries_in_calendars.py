"""Who has an event in their calendar by a letter of ours

Why: whoever says yes gets a calendar entry by mail, which changes with the event and goes with a no.
Who said yes before gets none by that: nothing is sent because of an upgrade.
Safe while the version before still runs: it writes no entry, and the columns have a value where it writes none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    with op.batch_alter_table("rsvp") as table:
        table.add_column(sa.Column("in_calendar", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("entry_due", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("entry_sequence", sa.Integer(), nullable=True))
