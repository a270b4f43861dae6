"""The command line: parse, call one function, print. Each noun has a file; this one joins them."""

import os
import sys
from itertools import pairwise
from typing import Any

import typer

from mailer.cli import misuse
from mailer.cli.frame import Frame, accept_everywhere, masked, said, say
from mailer.cli.nouns import Noun, tree_of
from mailer.errors import ProviderDown, UtskickError
from mailer.i18n import _, language_of, speaking
from subscribers.errors import SubscribersError

NOUNS = {
    "init": Noun("setup:init", "Prepare the config, the data folder, the keys and the database. Keeps what is there."),
    "demo": Noun(
        "demo:demo", "Send this week's sample edition to 500 invented members, and show what they got in a local inbox."
    ),
    "catch": Noun("catch:catch", "Take mail on this machine, send it to nobody, and show it in a browser."),
    "check": Noun("check:check", "Check what DNS says of our mail: DKIM, DMARC, SPF and bounces; and https."),
    "run": Noun(
        "running:run",
        "Serve the pages, keep the clock and deliver, until told to stop. What is being sent is finished first.",
    ),
    "web": Noun("running:web", "Serve the member's pages only."),
    "clock": Noun(
        "running:clock", "Keep the clock only: fetch news, draft and send editions, tell the people in charge."
    ),
    "worker": Noun(
        "worker:worker", "Send what is due until told to stop; on SIGTERM or Ctrl-C finish what is under way first."
    ),
    "receive": Noun(
        "receive:receive",
        "Take what a mail server hands over for the bounce domain, by LMTP or SMTP, until told to stop.",
    ),
    "db": Noun("database:commands", "The database and its schema."),
    "districts": Noun("reference:districts", "The districts that members choose among and news is tagged with."),
    "topics": Noun("reference:topics", "The topics that members choose among and news is tagged with."),
    "members": Noun("members:commands", "The members: import, look, hand out, erase."),
    "retention": Noun("retention:commands", "Delete what is no longer needed, and see what was."),
    "news": Noun("news:commands", "News: sources, items and their tags."),
    "events": Noun("events:commands", "Events: what takes place, where and when."),
    "outbox": Noun("outbox:commands", "What is being sent, to stop it, to send on, to look at it."),
    "campaigns": Noun("campaigns:commands", "One-off letters: write, look, test, approve, send."),
    "segments": Noun("segments:commands", "Audiences with a name of their own."),
    "approvals": Noun("approvals:commands", "What operators were asked to approve, and who signed."),
    "editions": Noun("editions:commands", "The editions of a digest."),
    "keys": Noun("keys:commands", "The keys that seal the register and make the links."),
    "feedback": Noun("feedback:commands", "What came back: bounces and complaints, and what follows from them."),
    "suppressions": Noun("suppressions:commands", "Addresses that are not written to."),
    "dkim": Noun("dkim:commands", "DKIM: the keys that sign our letters, and what DNS must say of them."),
}
root = typer.Typer(
    name="utskick",
    cls=tree_of(NOUNS),
    help="Newsletters and member letters for an organisation with districts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
root.callback()(lambda: None)  # Typer wants something that is registered


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Exit status 2 for a mistake of the caller's, 1 for trouble in the world."""
    os.umask(0o077)  # the database, its log, pictures, caught mail: whatever we write is for this account alone
    speaking.set(language_of(os.environ))
    frame = Frame(environ=dict(os.environ))
    try:
        status = _run(arguments or sys.argv[1:], frame)
    except (typer.TyperException, typer.Abort, ProviderDown, UtskickError, SubscribersError, OSError) as error:
        if frame.debug:
            raise
        sentence, status = _told(error)
        say(sentence, err=True)
    finally:
        frame.close()
    sys.exit(status)


def _run(arguments: list[str], frame: Frame) -> int:
    """Run a command and return its exit status; what goes wrong is raised, also what Typer would tell itself."""
    command: Any = typer.main.get_command(root)
    accept_everywhere(command, frame)
    command.commands.when_loaded(lambda _: _log(arguments))
    try:
        status: int | None = command.main(arguments, prog_name="utskick", obj=frame, standalone_mode=False)
    except misuse.OnlyAsked:
        return 2
    return status or 0


def _told(error: Exception) -> tuple[str, int]:
    """Return what went wrong, in a sentence, and the exit status."""
    match error:
        case misuse.Misuse():
            return said(misuse.mistake_of(error)), 2
        case ProviderDown():
            return _("The mail server could not be used: {reason}").format(reason=masked(error)), 1
        case UtskickError() | SubscribersError():
            return said(error), getattr(error, "status", 2)
        case OSError():
            reason = error.strerror
            return _("{file} cannot be used: {reason}.").format(file=error.filename or "-", reason=reason), 1
        case _:
            return _("Nothing was done."), 1


def _log(arguments: list[str]) -> None:
    """Set up the log before anything is parsed: a mistake may be logged too."""
    from mailer import logs  # noqa: PLC0415  # help does without it

    forms = (
        after if word == "--log" else word.partition("=")[2]
        for word, after in pairwise([*arguments, ""])
        if word.partition("=")[0] == "--log"
    )
    logs.configure(debug="--debug" in arguments, form=next(forms, "auto"))
