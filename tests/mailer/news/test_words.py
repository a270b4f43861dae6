"""Every sentence that the news says to a person is there in Swedish."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import mailer
from mailer.cli.news import commands
from mailer.i18n import translations

PACKAGE = Path(mailer.__file__).parent
SAID_BY = {"Mistake", "remark", "ForbiddenAddress", "BrokenSource", "BrokenFeed", "BrokenPage", "BrokenList"}


def sentences() -> Iterator[str]:
    for path in (*(PACKAGE / "news").glob("*.py"), PACKAGE / "cli" / "news.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAID_BY:
                match node.args:
                    case [ast.Constant(value=str(sentence)), *_]:
                        yield sentence


def helps() -> Iterator[str]:
    for command in typer.main.get_command(commands).commands.values():
        yield command.help
        yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))


@pytest.mark.parametrize("sentence", sorted({*sentences(), *helps()} - {"Print a JSON array for programs."}))
def test_every_sentence_has_a_translation_with_the_same_values(sentence: str):
    swedish = translations("sv").gettext(sentence)

    assert swedish != sentence
    assert set(_values(swedish)) == set(_values(sentence))


def _values(sentence: str) -> list[str]:
    return [part.partition("}")[0] for part in sentence.replace("{{", "").split("{")[1:]]
