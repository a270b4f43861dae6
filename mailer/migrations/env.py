"""Alembic's entry: runs on the connection that mailer.db hands over, or on a given URL while developing."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlmodel import SQLModel

import mailer.campaigns.models
import mailer.digest.models
import mailer.events.models
import mailer.feedback.models
import mailer.members.models
import mailer.news.models
import mailer.notices.models
import mailer.operators.models
import mailer.outbox.models
import mailer.reminders.models
import subscribers.models
from mailer.queue.schema import is_ours
from subscribers.column_types import Sealed

MODELS = (
    mailer.campaigns.models,
    mailer.digest.models,
    mailer.events.models,
    mailer.feedback.models,
    mailer.members.models,
    mailer.news.models,
    mailer.notices.models,
    mailer.outbox.models,
    mailer.reminders.models,
    subscribers.models,
)


def sealed_as_bytes(kind: str, column: object, _: object) -> str | Literal[False]:
    """Write a sealed column as what is stored: a migration must not depend on code that changes."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(column, Sealed) else False


def applied() -> None:
    """Tell whoever watches that one more revision is there."""
    tell = context.config.attributes.get("applied")
    if tell is not None:
        tell()


def run(connection: Connection) -> None:
    # SQLite alters a table by rebuilding it, which Alembic calls a batch.
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        render_item=sealed_as_bytes,
        include_object=is_ours,
        on_version_apply=lambda **_: applied(),
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with create_engine(context.config.get_main_option("sqlalchemy.url", "sqlite://")).connect() as opened:
        run(opened)
