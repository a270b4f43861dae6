"""What every command shares: --config, --data, --debug and --log in any place, and how results are shown."""

import json
import os
import pwd
import re
from collections.abc import Iterable, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:  # all the program hangs on it: loaded when a command is called
    from mailer.app import App, Places
from mailer.cli import helping
from mailer.cli.nouns import Loading
from mailer.collector import uncollected
from mailer.errors import ProviderDown, SendError, UtskickError
from mailer.i18n import _
from mailer.message.masking import mask_addresses
from mailer.sentences import Sentence, Word, filled
from subscribers.errors import SubscribersError

# What would speak to the terminal instead of the person, or cannot be written: controls, bidi overrides, surrogates.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

LARGEST_ID = 2**40  # what a link can carry, and far below what a database can
Json = Annotated[bool, typer.Option("--json", help="Print a JSON array for programs.")]


LogForm = Literal["auto", "json", "text"]


@dataclass
class Frame:
    """What was said around a command. A command reads `context.obj.app`."""

    environ: Mapping[str, str]
    config: Path | None = None
    data: Path | None = None
    debug: bool = False
    log: str = "auto"

    @property
    def places(self) -> "Places":
        from mailer.app import Places  # noqa: PLC0415  # as said above

        return Places.of(self.config, self.data, self.environ)

    @cached_property
    def app(self) -> "App":
        with uncollected():
            from mailer.app import App  # noqa: PLC0415  # as said above

        return App.load(self.places, self.environ)

    def close(self) -> None:
        """Let go of what the command opened."""
        if "app" in self.__dict__:
            self.app.close()


def app_of(context: typer.Context) -> "App":
    """Return the installation a command works on."""
    frame: Frame = context.obj
    return frame.app


def account() -> str:
    """Return the system account that runs this; the environment's word for it could be anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.getuid())


def accept_everywhere(command: Any, frame: Frame) -> None:
    """Let --config, --data, --debug and --log stand before or after any subcommand, and translate every help text.

    `command` is one of Typer's own; their classes have no public name to annotate with.
    """
    command.params.extend(_shared_options(frame))
    helping.translate(command)
    children = getattr(command, "commands", {})
    if isinstance(children, Loading):
        said_in = copy_context()  # in the language of now
        children.when_loaded(lambda child: said_in.run(accept_everywhere, child, frame))
    else:
        for child in children.values():
            accept_everywhere(child, frame)


def _shared_options(frame: Frame) -> list[Any]:
    """Let Typer make the four options, as if of a command, and take them from it."""

    def shared(
        config: Annotated[Path | None, typer.Option(help=_("The config file."), metavar="FILE")] = None,
        data: Annotated[Path | None, typer.Option(help=_("The data folder."), metavar="FOLDER")] = None,
        debug: Annotated[bool, typer.Option("--debug", help=_("Show where an error came from."))] = False,
        log: Annotated[
            LogForm | None, typer.Option("--log", help=_("The log's form; auto: text on a terminal, else JSON."))
        ] = None,
    ) -> None:
        del config, data, debug, log

    def keep(_context: object, option: Any, value: object) -> None:
        if value:
            setattr(frame, option.name, value)

    donor = typer.Typer(add_completion=False)
    donor.command()(shared)
    options = typer.main.get_command(donor).params
    for option in options:
        option.expose_value = False
        option.callback = keep
    return list(options)


def print_json(rows: Iterable[Mapping[str, object]], *, zone: tzinfo) -> None:
    """Print one JSON array on stdout; moments in ISO form with the offset of `zone`, as config and pages say them."""
    text = json.dumps(list(rows), ensure_ascii=False, indent=2, default=partial(_plain, zone))
    typer.echo(_UNSEEN.sub(lambda character: f"\\u{ord(character[0]):04x}", text))


def moment_in(zone: tzinfo, moment: datetime) -> str:
    """Return a moment as a person in `zone` reads it: 2026-11-26 08:00."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _plain(zone: tzinfo, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return sorted(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def harmless(text: str) -> str:
    """Return `text` as it may reach a terminal: names and titles come from anywhere and must not command it."""
    return _UNSEEN.sub("\ufffd", text)


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print a text with nothing in it that commands the terminal."""
    typer.echo(harmless(text) + end, nl=False, err=err)


def remark(sentence: str, /, **values: object) -> None:
    """Say something about the result on stderr, translated; data alone goes to stdout."""
    say(filled(sentence, values, _), err=True)


def insist(question: str) -> None:
    """Ask on stderr, and raise `typer.Abort` unless the answer is yes. Nobody there to answer is a no."""
    say(question + " " + _("[y/N]") + " ", err=True, end="")
    try:
        answer = input()
    except EOFError:
        say("", err=True)
        answer = ""
    if answer.strip().casefold() not in {"y", "yes", _("y"), _("yes")}:
        raise typer.Abort


def said(error: UtskickError | ProviderDown | SubscribersError) -> str:
    """Return what went wrong, translated."""
    return filled(error.sentence, error.values, _)


def masked(error: ProviderDown) -> str:
    """Return what went wrong, translated, with nobody's address in a server's words; ours stay as they are."""
    if not error.values:
        return mask_addresses(_(error.sentence))
    values = {
        name: value if isinstance(value, Word | Sentence) else mask_addresses(str(value))
        for name, value in error.values.items()
    }
    return filled(error.sentence, values, _)


def in_words(sentence: Sentence) -> str:
    """Return a stored sentence, translated."""
    return filled(sentence.text, sentence.values, _)


def reason_of(error: SendError) -> str:
    """Return why a mail was not sent, translated, to stand inside a sentence: without a full stop of its own."""
    return (said(error) if isinstance(error, ProviderDown) else error.detail).rstrip(".")
