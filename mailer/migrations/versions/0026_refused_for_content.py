"""Which deliveries were refused for what was in them

Why: such a refusal says nothing of the address, but was judged by its words alone, and in doubt counted against the member.
Safe while the version before still runs: it does not write the column, and its refusals are judged by their words as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("delivery", sa.Column("for_content", sa.Boolean(), nullable=False, server_default=sa.false()))
