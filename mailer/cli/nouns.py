"""The first word of a command. Its module is loaded when it is called: help, a typing error and Ctrl-C need none."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mailer.collector import uncollected
from mailer.i18n import _


@dataclass(frozen=True, slots=True)
class Noun:
    """Where a command lies ("news:commands": a name of a module of mailer.cli), and its help."""

    place: str
    help: str


class Loading(MutableMapping[str, Any]):
    """The commands of `nouns` by name, each loaded when it is asked for."""

    def __init__(self, nouns: Mapping[str, Noun]) -> None:
        self._nouns = nouns
        self._loaded: dict[str, Any] = {}
        self._then: list[Callable[[Any], None]] = []

    def when_loaded(self, do: Callable[[Any], None]) -> None:
        """Do something with each command as soon as it is loaded."""
        self._then.append(do)

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            command = self._loaded[name] = _load(name, self._nouns[name])
            for do in self._then:
                do(command)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are not taken away")

    def __iter__(self) -> Iterator[str]:
        return iter(self._nouns)

    def __len__(self) -> int:
        return len(self._nouns)


def tree_of(nouns: Mapping[str, Noun]) -> type[TyperGroup]:
    """Return the class of a command whose first words are `nouns`, as Typer wants it."""

    class Tree(TyperGroup):
        def __init__(self, **said: Any) -> None:
            super().__init__(**said)
            self.commands = Loading(nouns)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Show the help with nothing loaded: each noun by its sentence alone."""
            named: Any = {name: TyperCommand(name, help=_(noun.help)) for name, noun in nouns.items()}
            shown: Any = TyperGroup(name=self.name, help=self.help, params=self.params, commands=named)
            shown.get_usage, shown.get_help_option = self.get_usage, self.get_help_option  # they speak the language
            shown.format_help(ctx, formatter)

    return Tree


def _load(name: str, noun: Noun) -> Any:
    module, _colon, attribute = noun.place.partition(":")
    with uncollected():
        found = getattr(import_module(f"mailer.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = typer.main.get_command(alone)
    command.name, command.help = name, noun.help
    return command
