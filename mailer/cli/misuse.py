"""A command that was written wrong, told in one sentence that says what to do.

Typer says it in English, in a box of several lines. What it found is read from its exceptions, which it has under no
public name; what stands in their message alone is read from there, and a message that is not known is shown as it is.
"""

import re
from typing import Any

from typer._click.exceptions import (
    BadOptionUsage,
    BadParameter,
    ClickException,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)

from mailer.errors import Mistake
from mailer.sentences import N_, Sentence, Word

Misuse = ClickException
OnlyAsked = NoArgsIsHelpError  # a noun without a verb: Typer has shown its help already

_UNKNOWN = re.compile(r"No such command '(?P<word>.*?)'\.(?: Did you mean (?P<near>.*)\?)?", re.DOTALL)
_TOO_MUCH = re.compile(r"Got unexpected extra argument\(s\) \((?P<words>.*)\)", re.DOTALL)


def mistake_of(error: Misuse) -> Mistake:
    """Return what was written wrong."""
    command = error.ctx.command_path if isinstance(error, UsageError) and error.ctx else "utskick"
    match error:
        case NoSuchOption():
            return _no_such_option(command, error)
        case BadOptionUsage(option_name=option) if "does not take a value" in error.message:
            return Mistake("{option} takes no value: write it alone.", option=option)
        case BadOptionUsage(option_name=option):
            return Mistake("Write a value after {option}.", option=option)
        case MissingParameter(param=parameter):
            return Mistake("`{command}` needs {name}; see `{command} --help`.", command=command, name=_name(parameter))
        case BadParameter(param=parameter) if hasattr(error.__cause__, "errors"):  # pydantic's ValidationError
            return _bad_value(parameter, error.__cause__)
    return _of_message(command, error.message)


def _bad_value(parameter: Any, cause: Any) -> Mistake:
    return Mistake(
        "{name} cannot be {value}: {reason}.",
        name=_name(parameter),
        value=cause.errors()[0]["input"],
        reason=_reason(parameter, cause),
    )


def _no_such_option(command: str, error: NoSuchOption) -> Mistake:
    option = error.option_name
    if near := ", ".join(sorted(error.possibilities or ())):
        return Mistake(
            "`{command}` has no option {option}. Did you mean {near}?", command=command, option=option, near=near
        )
    return Mistake("`{command}` has no option {option}; see `{command} --help`.", command=command, option=option)


def _of_message(command: str, message: str) -> Mistake:
    if unknown := _UNKNOWN.fullmatch(message):
        tried = f"{command} {unknown['word']}"
        if near := ", ".join(re.findall("'(.*?)'", unknown["near"] or "")):
            return Mistake("There is no command `{tried}`. Did you mean {near}?", tried=tried, near=near)
        return Mistake("There is no command `{tried}`; see `{command} --help`.", tried=tried, command=command)
    if too_much := _TOO_MUCH.fullmatch(message):
        words = too_much["words"]
        return Mistake("`{command}` does not take {words}; see `{command} --help`.", command=command, words=words)
    if message == "Missing command.":
        return Mistake("`{command}` needs a command after it; see `{command} --help`.", command=command)
    return Mistake("`{command}` was not understood: {reason}", command=command, reason=" ".join(message.split()))


def _name(parameter: Any) -> str:
    """Return a parameter as the help shows it: --limit, ID."""
    hint: str = parameter.get_error_hint().strip("'[].")
    return hint.upper() if parameter.param_type_name == "argument" else hint


def _reason(parameter: Any, cause: Any) -> Sentence | Word | str:
    from mailer.validation import first_fault  # noqa: PLC0415  help does without it

    described = parameter.type_descriptor
    if described.is_choice:
        return Sentence(N_("write one of {choices}"), {"choices": ", ".join(map(str, described.choices))})
    bounds = described.parameter_info
    if bounds.min is not None and bounds.max is not None:
        return Sentence(N_("write a whole number from {least} to {most}"), {"least": bounds.min, "most": bounds.max})
    return first_fault(cause).reason
