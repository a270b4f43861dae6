"""Typer's help in the reader's language: its own words are English, and it looks for no catalogue of ours."""

from collections.abc import Mapping
from typing import Any

from mailer.i18n import _
from mailer.sentences import N_

# Typer's words by the name that its terminal pages have for them.
_WORDS: Mapping[str, str] = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "DEFAULT_STRING": N_("[default: {}]"),
    "REQUIRED_LONG_STRING": N_("[required]"),
}


# And what it says of every command.
_OFTEN = (N_("[OPTIONS]"), N_("COMMAND [ARGS]..."), N_("Show this message and exit."))


def translate(command: Any) -> None:
    """Let the help of `command` be shown in the language of then; its own texts, and Typer's about it."""
    command.help = _(command.help) if command.help else None
    for parameter in command.params:
        _explain(parameter)
    show = command.format_help

    def format_usage(context: Any, formatter: Any) -> None:
        pieces = [_(piece) for piece in command.collect_usage_pieces(context)]
        formatter.write_usage(context.command_path, " ".join(pieces), prefix=_("Usage: "))

    def format_help(context: Any, formatter: Any) -> None:
        from typer import rich_utils  # noqa: PLC0415  # the terminal's library: only help needs it this early

        for name, word in _WORDS.items():
            setattr(rich_utils, name, _(word))
        _explain(command.get_help_option(context))
        show(context, formatter)

    command.format_usage, command.format_help = format_usage, format_help


def _explain(parameter: Any) -> None:
    if getattr(parameter, "help", None):
        parameter.help = _(parameter.help)
    if getattr(parameter, "is_flag", False):
        parameter.metavar = ""  # it takes no value, so no type of one is shown
