"""What a command loads before it does anything: it is waited for each time, and Ctrl-C in it must be quiet."""

import subprocess
import sys

import pytest

from mailer.__main__ import main

HEAVY = {"PIL", "alembic", "apscheduler", "fastapi", "feedparser", "httpx", "uvicorn"}


def loaded_by(code: str) -> set[str]:
    ending = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    program = f"import atexit; atexit.register(lambda: exec({ending!r}, {{}}))\n{code}"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  ourselves
    return set(ran.stderr.split())


def test_help_loads_no_database_and_no_command():
    loaded = loaded_by("from mailer.cli import main; main(['--help'])")

    assert "typer" in loaded
    assert not loaded & {*HEAVY, "sqlalchemy", "pydantic", "structlog"}


@pytest.mark.parametrize("noun", ["news", "outbox"])
def test_looking_loads_nothing_that_serves_fetches_or_migrates(noun: str):
    loaded = loaded_by(f"import mailer.cli.{noun}")

    assert "sqlalchemy" in loaded
    assert not loaded & {*HEAVY, "jinja2", "markdown_it"}


def test_ctrl_c_while_the_program_loads_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    class Pressed:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "mailer.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "mailer.cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Pressed, *sys.meta_path])

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 130
    assert capsys.readouterr() == ("", "")
