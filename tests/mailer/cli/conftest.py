import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from mailer.cli import main


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command sends the log to the stderr of its own test, which nobody may write to afterwards."""
    handlers = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


Run = Callable[..., tuple[int, str, str]]


# The account of Anna, and above how many members a second operator is needed.
OPERATORS = """
[operators.anna]
name = "Anna Ek"
address = "anna@kansli.example.org"
may_approve = true
accounts = ["%s"]

[operators.bo]
name = "Bo Al"
address = "bo@kansli.example.org"
may_approve = true

[approval]
second_above = %d
"""


def without_window(config: Path) -> None:
    """Let what is approved go at once: what the tests are about comes after it."""
    config.write_text(config.read_text(encoding="utf-8") + '\n[approval]\nundo = "0 minutes"\n', encoding="utf-8")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, site_database: str) -> Run:
    """Run a command on an installation of its own; gives the exit status, stdout and stderr."""
    del site_database

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--config", str(tmp_path / "config.toml")])
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    command("init")
    return command
