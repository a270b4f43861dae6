"""utskick members welcome: a person lets the letters of welcome go to members who were imported."""

from typing import Annotated

import typer

from mailer.cli.frame import account, app_of, remark
from mailer.cli.progress import progress_bar
from mailer.errors import Mistake
from mailer.members import welcomes
from subscribers import access


def welcome(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, write to all of them.")] = False,
) -> None:
    """Send the letter of welcome to every reader who never got one: without --yes, only count them."""
    app = app_of(context)
    if not app.settings.welcome.enabled:
        raise Mistake("Letters of welcome are switched off: set welcome.enabled to true in the config.")
    publication, now = app.settings.digest.publication, app.now()
    with app.reading() as session:
        waiting = welcomes.unwelcomed(session, publication)
    if not yes:
        remark("Readers who were never welcomed: {count}. To write to all of them repeat with --yes.", count=waiting)
        return
    done, more = 0, welcomes.AT_ONCE
    with progress_bar() as progress:
        while more == welcomes.AT_ONCE:
            with app.writing() as session:
                more = welcomes.want_all(session, publication, now=now)
            done += more
            progress("Preparing", done, waiting)
    with app.writing() as session:
        access.record(session, who=account(), what=access.Act.WELCOME, count=done, now=now)
    remark("Readers who will be welcomed: {count}. The clock sends the letters.", count=done)
