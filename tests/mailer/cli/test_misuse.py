"""A command that is written wrong: one line that says what to do, in the language of who wrote it; status 2."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from mailer.cli import main, root


def every(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return every command with the words that call it, the nouns too."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from every(child, (*path, name))


COMMANDS = dict(every(typer.main.get_command(root)))
NOUNS = [path for path, command in COMMANDS.items() if hasattr(command, "commands")]
NEEDY = [path for path, command in COMMANDS.items() if any(parameter.required for parameter in command.params)]
WITH_VALUE = [
    (path, parameter.opts[0])
    for path, command in COMMANDS.items()
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.is_flag
]


@pytest.fixture(autouse=True)
def _swedish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    """Run a command and return the one line it says."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    shown = capsys.readouterr()
    assert (left.value.code, shown.out) == (status, "")
    [line] = shown.err.splitlines()
    return line


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str], path: tuple[str, ...]):
    command = " ".join(("utskick", *path))

    assert told(capsys, *path, "--zzzz") == f"`{command}` har inget tillval --zzzz; se `{command} --help`."


@pytest.mark.parametrize("path", NEEDY, ids=" ".join)
def test_a_missing_argument_is_one_line(capsys: pytest.CaptureFixture[str], path: tuple[str, ...]):
    command = " ".join(("utskick", *path))
    line = told(capsys, *path)

    assert line.startswith(f"`{command}` behöver ")
    assert line.endswith(f"; se `{command} --help`.")


@pytest.mark.parametrize("path", NOUNS, ids=" ".join)
def test_an_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str], path: tuple[str, ...]):
    command = " ".join(("utskick", *path))

    assert told(capsys, *path, "zzzz") == f"Det finns inget kommando `{command} zzzz`; se `{command} --help`."


@pytest.mark.parametrize("path", NOUNS, ids=" ".join)
def test_a_noun_alone_with_an_option_is_one_line(capsys: pytest.CaptureFixture[str], path: tuple[str, ...]):
    command = " ".join(("utskick", *path))

    assert told(capsys, *path, "--log", "text") == (
        f"`{command}` behöver ett kommando efter sig; se `{command} --help`."
    )


@pytest.mark.parametrize(("path", "option"), WITH_VALUE, ids=str)
def test_an_option_without_its_value_is_one_line(
    capsys: pytest.CaptureFixture[str], path: tuple[str, ...], option: str
):
    assert told(capsys, *path, option) == f"Skriv ett värde efter {option}."


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("nws", "Det finns inget kommando `utskick nws`. Menade du news?"),
        ("news lst", "Det finns inget kommando `utskick news lst`. Menade du list?"),
        ("news list --limt 3", "`utskick news list` har inget tillval --limt. Menade du --limit?"),
        ("news list more", "`utskick news list` tar inte emot more; se `utskick news list --help`."),
        ("news list --json=1", "--json tar inget värde: skriv det ensamt."),
        ("news list --limit many", "--limit kan inte vara many: skriv ett heltal från 1 till 1099511627776."),
        ("news show x", "ID kan inte vara x: skriv ett heltal från 1 till 1099511627776."),
        ("editions order weekly 0", "ITEMS kan inte vara 0: skriv ett heltal från 1 till 1099511627776."),
        ("--log loud news list", "--log kan inte vara loud: skriv något av auto, json, text."),
    ],
)
def test_what_is_wrong_and_what_would_be_right_is_said(capsys: pytest.CaptureFixture[str], command: str, says: str):
    assert told(capsys, *command.split()) == says


def test_what_reaches_the_terminal_does_not_command_it(capsys: pytest.CaptureFixture[str]):
    assert "\x1b" not in told(capsys, "news", "list", "--limit", "\x1b[31m9")
    assert "\x1b" not in told(capsys, "news", "\x1b]0;x\x07")
