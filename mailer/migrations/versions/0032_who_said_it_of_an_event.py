"""Who said what of an event and for which districts, and requests for approval that the clock made

Why: the letters about an event to many wait for a second operator; to know who is the first, and who is told beyond
their districts, each revision keeps it. When such letters are due and nobody has asked for approval, the clock does.
Safe while the version before still runs: what it writes has neither, and is then nobody's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("event_revision", sa.Column("said_by", sa.String(64), nullable=True))
    op.add_column("event_revision", sa.Column("districts", sa.String(), nullable=True))
    by_clock = sa.Column("by_clock", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("approval_request", by_clock)
