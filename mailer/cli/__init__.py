"""The command line: parse, call one function, print. Each noun has a file; this one joins them."""

import os
import sys
from typing import NoReturn

import typer

from mailer import logs
from mailer.cli import catch, database, demo, dkim, editions, members, news, outbox, running, setup, worker
from mailer.cli.frame import Frame, accept_everywhere, said, say
from mailer.errors import ProviderDown, UtskickError
from mailer.i18n import _, language_of, speaking
from mailer.message.masking import mask_addresses
from subscribers.errors import SubscribersError

root = typer.Typer(
    name="utskick",
    help="Newsletters and member letters for an organisation with districts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
root.command("init")(setup.init)
root.command("demo")(demo.demo)
root.command("catch")(catch.catch)
root.command("run")(running.run)
root.command("web")(running.web)
root.command("clock")(running.clock)
root.command("worker")(worker.worker)
root.add_typer(database.commands, name="db")
root.add_typer(members.commands, name="members")
root.add_typer(news.commands, name="news")
root.add_typer(outbox.commands, name="outbox")
root.add_typer(editions.commands, name="editions")
root.add_typer(dkim.commands, name="dkim")


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Exit status 2 for a mistake of the caller's, 1 for trouble in the world."""
    os.umask(0o077)  # the database, its log, pictures, caught mail: whatever we write is for this account alone
    speaking.set(language_of(os.environ))
    logs.configure(debug="--debug" in (arguments or sys.argv))
    frame = Frame(environ=dict(os.environ))
    command = typer.main.get_command(root)
    accept_everywhere(command, frame)
    try:
        command(arguments, prog_name="utskick", obj=frame)  # leaves by SystemExit
    except ProviderDown as down:
        if frame.debug:
            raise
        _leave(_("The mail server could not be used: {reason}").format(reason=mask_addresses(said(down))), 1)
    except (UtskickError, SubscribersError) as error:
        if frame.debug:
            raise
        _leave(said(error), getattr(error, "status", 2))
    except OSError as error:
        if frame.debug:
            raise
        _leave(_("{file} cannot be used: {reason}.").format(file=error.filename or "-", reason=error.strerror), 1)


def _leave(sentence: str, status: int) -> NoReturn:
    say(sentence, err=True)
    sys.exit(status)
