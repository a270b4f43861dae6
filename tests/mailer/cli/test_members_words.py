"""Every sentence that the register says to a person is there in Swedish."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import subscribers
from mailer.cli import members, progress
from mailer.i18n import translations

PACKAGE = Path(subscribers.__file__).parent
EDGES = (Path(members.__file__), Path(progress.__file__))
SAID_BY = {"Refused", "Locked", "Mistake", "Note", "Line", "remark", "progress", "_refuse_unknown", "_"}
WORDS = ("added", "changed", "unchanged", "gone", "refused")


def sentences() -> Iterator[str]:
    """Yield what is handed to whatever speaks, and what a function that finds a reason returns."""
    for path in (*PACKAGE.rglob("*.py"), *EDGES):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=said) if name in SAID_BY:
                    yield from (part.value for part in said if isinstance(part, ast.Constant) and _is_said(part.value))
                case ast.Return(value=ast.Constant(value=str(said))) if " " in said:
                    yield said


def _is_said(value: object) -> bool:
    return isinstance(value, str) and (" " in value or value in (*WORDS, "Reading", "Preparing", "Writing"))


def helps() -> Iterator[str]:
    for command in typer.main.get_command(members.commands).commands.values():
        yield command.help
        yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))


ALL = sorted({*sentences(), *helps()} - {"Print a JSON array for programs."})


@pytest.mark.parametrize("sentence", ALL)
def test_every_sentence_has_a_translation_with_the_same_values(sentence: str):
    swedish = translations("sv").gettext(sentence)

    assert swedish != sentence
    assert set(re.findall(r"{\w+}", swedish)) == set(re.findall(r"{\w+}", sentence))


def test_the_sentences_are_found():
    assert {"The address has no @.", "There is no member {member}.", "List members.", "gone", "Reading"} <= set(ALL)
