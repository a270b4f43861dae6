"""utskick db: the schema."""

import typer

from mailer.cli.frame import app_of, remark

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to what this version needs."""
    app_of(context).upgrade()
    remark("The database is up to date.")
