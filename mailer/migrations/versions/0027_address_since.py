"""Since when a member has their address

Why: a bounce of a letter to the old address, which often is why it was changed, gave up the new one.
Safe while the version before still runs: it does not write the column, and without a time everything counts, as before.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("member", sa.Column("address_since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
