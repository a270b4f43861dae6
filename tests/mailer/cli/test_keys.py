"""utskick keys, on a site with members."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import keys
from mailer.app import App, Places
from mailer.cli import main
from subscribers.models import Member
from tests.builders import a_member


@pytest.fixture
def folder(tmp_path: Path, site_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    del site_database
    monkeypatch.setenv("UTSKICK_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def opened(folder: Path) -> App:
    return App.load(Places.of(folder / "config.toml", None, {}), os.environ)


def test_after_a_rotation_nothing_bears_the_old_key_and_everything_opens(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert run("init") == 0
    app = opened(folder)
    with app.writing() as session:
        session.add(a_member("anna@example.org", id=1))
    lookup = keys.load(folder / "keys.toml").register.lookup

    assert run("keys", "rotate") == 0
    assert "anew: 1." in capsys.readouterr().err
    after = opened(folder)
    assert keys.load(folder / "keys.toml").register.lookup == lookup
    with after.reading() as session:
        assert session.get_one(Member, 1).address == "anna@example.org"
        raw = session.execute(sa.text("SELECT address FROM member")).scalar_one()
    assert bytes(raw)[1] == 2
    assert run("keys", "reseal") == 0
    assert "anew: 0." in capsys.readouterr().err
