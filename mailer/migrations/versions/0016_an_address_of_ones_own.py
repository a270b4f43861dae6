"""An address of one's own

Why: an import does not write the register's old address over one that a member changed with both mailboxes agreeing.
Safe while the version before still runs: the column may be empty, and what that version writes leaves it so.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("member", sa.Column("address_by", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=True))
