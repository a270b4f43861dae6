"""utskick db: the schema, and what must be said of a database."""

from typing import Annotated

import typer

from mailer import db
from mailer.cli.frame import app_of, remark
from mailer.cli.progress import progress_bar
from mailer.outbox import home

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to what this version needs."""
    with progress_bar() as progress:
        app_of(context).upgrade(progress)
    remark("The database is up to date.")


@commands.command()
def move(
    context: typer.Context,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty PostgreSQL; its password may come from PGPASSWORD.")
    ],
) -> None:
    """Copy everything to PostgreSQL, count and compare it; what was to be sent is held."""
    from mailer import moving  # noqa: PLC0415  # every table there is: only this needs them all

    app = app_of(context)
    target = db.open_engine(to)
    try:
        with progress_bar() as progress:
            accounts = moving.move(app.engine, target, progress)
    finally:
        target.dispose()
    rows = sum(account.rows for account in accounts.values())
    remark("{rows} rows in {tables} tables arrived as they were.", rows=rows, tables=len(accounts))
    remark("Now name the new database in the config; `utskick outbox resume` sends on what is held.")


@commands.command()
def restored(context: typer.Context) -> None:
    """Hold every mailing: this is a copy that was put back. Needed only after a snapshot of the whole machine."""
    app = app_of(context)
    with app.writing() as session:
        held = home.begin_anew(session, app.watermark, now=app.now())
    remark("Mailings held: {number}.", number=held)
