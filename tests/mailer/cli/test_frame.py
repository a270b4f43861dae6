import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mailer.cli import main, root
from mailer.cli.frame import masked, reason_of
from mailer.errors import AddressRefused, ProviderDown


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path
    for name, child in children.items():
        yield from commands(child, (*path, name))


EVERY = list(commands(typer.main.get_command(root)))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_says_what_it_does_and_takes_the_shared_options(
    capsys: pytest.CaptureFixture[str], path: tuple[str, ...]
):
    status, out, _ = run(capsys, *path, "--help")
    words = re.sub(r"\x1b\[[0-9;]*m", "", out)

    assert status == 0
    assert {"--config", "--data", "--debug"} <= set(words.split())
    assert "Usage" in words


def test_config_and_data_may_stand_before_or_after_the_subcommand(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    config, data = tmp_path / "config.toml", tmp_path / "data"

    assert run(capsys, "--config", config, "init", "--data", data)[0] == 0
    assert run(capsys, "db", "upgrade", "--config", config, "--data", data)[0] == 0
    assert run(capsys, "--config", config, "--data", data, "db", "upgrade")[0] == 0
    assert run(capsys, "db", "--config", config, "--data", data, "upgrade")[0] == 0


def test_a_mistake_is_one_line_on_stderr_and_status_two(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    status, out, err = run(capsys, "db", "upgrade", "--config", tmp_path / "none.toml")

    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "utskick init" in err


def test_init_writes_the_data_folder_that_was_named_into_the_config(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(capsys, "init", "--config", tmp_path / "config.toml", "--data", tmp_path / "else where")

    assert run(capsys, "news", "list", "--config", tmp_path / "config.toml")[0] == 0


def test_init_keeps_what_is_there(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    arguments = ("init", "--config", tmp_path / "config.toml", "--data", tmp_path / "data")
    run(capsys, *arguments)
    before = {path: path.read_bytes() for path in (tmp_path / "config.toml", tmp_path / "keys.toml")}

    status, _, err = run(capsys, *arguments)

    assert status == 0
    assert "Kept" in err
    assert {path: path.read_bytes() for path in before} == before


def test_init_takes_its_places_from_the_environment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("UTSKICK_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("UTSKICK_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("UTSKICK_KEYS", str(tmp_path / "k" / "keys.toml"))

    assert run(capsys, "init")[0] == 0
    assert (tmp_path / "c.toml").exists()
    assert (tmp_path / "d" / "utskick.db").exists()
    assert (tmp_path / "k" / "keys.toml").exists()


def test_debug_shows_where_an_error_came_from(tmp_path: Path):
    with pytest.raises(Exception, match="There is no config file"):
        main(["db", "upgrade", "--debug", "--config", str(tmp_path / "none.toml")])


def test_a_sentence_of_ours_keeps_its_quotes_and_a_server_names_nobody():
    ours = ProviderDown('{place} wants "tls": {answer}', place="mx.example.org", answer="<anna> is not known")

    assert masked(ours) == 'mx.example.org wants "tls": [address] is not known'
    assert masked(ProviderDown("550 <anna@example.org> unknown")) == "550 [address] unknown"


def test_a_reason_inside_a_sentence_brings_no_full_stop_of_its_own():
    assert reason_of(AddressRefused("550 No such user.")) == "550 No such user"
    assert reason_of(ProviderDown("Nobody answers at {place}.", place="mx.example.org")) == (
        "Nobody answers at mx.example.org"
    )
