"""Every listing prints one JSON array on stdout and nothing else there."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer

from mailer.cli import main, root
from tests.mailer.cli.conftest import without_window
from tests.mailer.cli.test_frame import commands

PRINTS_JSON = [
    path
    for path in commands(typer.main.get_command(root))
    if path[0] in {"districts", "topics", "news", "members", "editions", "outbox"}
    and path[-1] in {"districts", "topics", "list", "status", "show", "sources"}
] + [("editions", "preview")]
ARGUMENTS = {
    ("news", "show"): ["1"],
    ("members", "show"): ["1"],
    ("outbox", "show"): ["KEY"],
    ("outbox", "uncertain", "list"): ["KEY"],
}


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(["--config", str(folder / "config.toml"), "--data", str(folder / "data"), *arguments])
    assert not left.value.code
    return capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path, site_database: str, capsys: pytest.CaptureFixture[str]) -> Path:
    """An installation with one member and an edition that is on its way."""
    del site_database
    register = tmp_path / "members.csv"
    register.write_text("Medlemsnummer;E-post;Distrikt\n1;anna@example.org;Bromma\n", encoding="utf-8")
    run(capsys, tmp_path, "init")
    without_window(tmp_path / "config.toml")
    for command in (
        ["members", "import", str(register)],
        ["news", "add", "--title", "Ny cykelbana", "--tag", "bromma"],
        ["editions", "draft"],
        ["editions", "approve", "weekly"],
        ["editions", "send", "weekly"],
    ):
        run(capsys, tmp_path, *command)
    return tmp_path


def test_every_listing_prints_one_json_array(capsys: pytest.CaptureFixture[str], folder: Path):
    [mailing] = json.loads(run(capsys, folder, "outbox", "status", "--json"))

    for path in PRINTS_JSON:
        arguments = [mailing["key"] if word == "KEY" else word for word in ARGUMENTS.get(path, [])]
        rows: Any = json.loads(run(capsys, folder, *path, *arguments, "--json"))
        assert isinstance(rows, list), path
        assert rows or path == ("outbox", "uncertain", "list"), path


def test_a_members_own_words_are_never_translated(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    register = folder / "more.csv"
    register.write_text("Medlemsnummer;Förnamn;Efternamn;E-post\n2;Value;held;v@example.org\n", encoding="utf-8")
    run(capsys, folder, "members", "import", str(register))
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")

    shown = dict(line.split("\t") for line in run(capsys, folder, "members", "show", "2").splitlines())

    assert (shown["förnamn"], shown["efternamn"], shown["läge"]) == ("Value", "held", "aktiv")


def moments(value: object) -> Iterator[datetime]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from moments(inner)
    elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:", value):
        yield datetime.fromisoformat(value)


def test_every_moment_in_json_has_the_offset_of_the_site(capsys: pytest.CaptureFixture[str], folder: Path):
    [mailing] = json.loads(run(capsys, folder, "outbox", "status", "--json"))
    zone, seen = ZoneInfo("Europe/Stockholm"), 0

    for path in [*((*path, "--json") for path in PRINTS_JSON), ("members", "export")]:
        arguments = ["1"] if path[-1] == "export" else ARGUMENTS.get(path[:-1], [])
        arguments = [mailing["key"] if word == "KEY" else word for word in arguments]
        for moment in moments(json.loads(run(capsys, folder, *path, *arguments))):
            assert moment.utcoffset() == moment.astimezone(zone).utcoffset(), path
            seen += 1

    assert seen


@pytest.mark.parametrize("path", [("editions", "status"), ("outbox", "show"), ("members", "show")])
def test_no_listing_shows_a_person_more_than_minutes(
    capsys: pytest.CaptureFixture[str], folder: Path, path: tuple[str, ...]
):
    [mailing] = json.loads(run(capsys, folder, "outbox", "status", "--json"))
    arguments = [mailing["key"] if word == "KEY" else word for word in ARGUMENTS.get(path, [])]

    assert not re.search(r"\d\d:\d\d:\d\d|\+00:00", run(capsys, folder, *path, *arguments))


def test_tables_speak_the_language_of_the_terminal(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")

    heading, row = run(capsys, folder, "outbox", "status").splitlines()

    assert heading.split()[:3] == ["nyckel", "läge", "kandidater"]
    assert row.split()[1:3] == ["planerat", "1"]
    assert run(capsys, folder, "outbox", "status").isascii() is False
    assert "utskick" not in run(capsys, folder, "outbox", "status", "--json")
