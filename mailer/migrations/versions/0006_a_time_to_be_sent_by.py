"""A time by which a mailing is sent

Why: a slow pace, quiet hours or a warm-up can draw a mailing out until it is no news; a person decides then.
Safe while the version before still runs: it does not know the column, and a mailing without a time has none.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("mailing", sa.Column("send_by", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
