"""Keep why a source is broken as a sentence and its values

Why: the reason was stored in English, filled in, and could not be told in Swedish.
Safe while the version before still runs: it does not know the column, the default fills it; its whole sentences
are read as sentences without values.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("source_state") as table:
        table.add_column(
            sa.Column("error_values", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="{}")
        )
