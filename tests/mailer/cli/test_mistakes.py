"""Whatever a person gets wrong is one line on stderr, in their language, and never a traceback."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.cli import main
from mailer.resources import resource
from tests.databases import BOTH
from tests.postgres import Cluster

OVERSIZED = "9" * 30


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module", params=BOTH)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    if request.param == "postgresql":
        postgres: Cluster = request.getfixturevalue("postgres")
        sample = resource("config.toml").read_text(encoding="utf-8")
        (folder / "config.toml").write_text(f'database = "{postgres.url(postgres.create())}"\n{sample}')
    assert run("init", "--config", folder / "config.toml", "--data", folder / "data") == 0
    return folder


IN_FILES = pytest.mark.parametrize("installed", ["sqlite"], indirect=True)


@pytest.fixture
def folder(installed: Path, tmp_path: Path) -> Path:
    """A copy of an installation, to be broken."""
    return Path(shutil.copytree(installed, tmp_path / "site"))


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, *command: object
) -> tuple[int, str]:
    """Run a command in Swedish and return its status and the one line it says."""
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")
    capsys.readouterr()
    status = run("--config", folder / "config.toml", "--data", folder / "data", *command)
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    return status, line


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("news import none.txt", "Det finns ingen fil none.txt."),
        ("news import /", "går inte att läsa"),
        ("news import ftp://example.org/x", "Bara http- och https-adresser"),
        ("news import http://127.0.0.1/x", "privat nät"),
        ("news list --tag atlantis", "inget distrikt och inget ämne som heter atlantis"),
        ("news show 99999", "ingen nyhet 99999"),
        ("news expire 1 imorgon", "imorgon är inget datum"),
        ("news fetch atlantis", "ingen källa atlantis"),
        ("members import none.csv", "Det finns ingen fil none.csv."),
        ("members import /", "går inte att läsa"),
        ("members import /dev/null", "Filen har inga rader."),
        ("members list --district atlantis", "inget distrikt atlantis"),
        ("members show 99999", "ingen medlem 99999"),
        ("members erase 1", "upprepa med --yes"),
        ("editions preview", "kör `utskick editions draft weekly`"),
        ("editions preview monthly", "ingen publikation monthly"),
        ("editions approve weekly:2020-W01", "ingen utgåva weekly:2020-W01"),
        ("outbox show weekly:2020-W01", "inget utskick weekly:2020-W01"),
        ("outbox cancel weekly:2020-W01", "inget utskick weekly:2020-W01"),
    ],
)
def test_a_mistake_in_a_command_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, installed: Path, command: str, says: str
):
    status, line = told(capsys, monkeypatch, installed, *command.split())

    assert status == 2
    assert says in line


@IN_FILES
@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("port = 8080", "prt = 8080", "web.prt: det finns ingen sådan nyckel"),
        ("port = 8080", 'port = "x"', "web.port: skriv ett heltal"),
        ("port = 8080", "port = 99999", "web.port: talet är för stort"),
        ('draft = "Monday 08:00"', 'draft = "Onsdag"', "digest.draft: skriv en veckodag"),
        ('draft = "Monday 08:00"', 'draft = "Friday 08:00"', "draft måste komma före send"),
        ('fresh_for = "3 weeks"', 'fresh_for = "tre"', "digest.fresh_for: skriv ett tal och en enhet"),
        ("auto_approve = false", 'auto_approve = "nja"', "digest.auto_approve: skriv true eller false"),
        ('publication = "weekly"', 'publication = "monthly"', "digest.publication anger en publikation som inte finns"),
        ('publications = ["weekly"]', 'publications = ["monthly"]', "members.publications anger en publikation"),
        ('base_url = "http://127.0.0.1:8080"', "", "site.base_url: saknas"),
        ('data = "data"', 'database = "annat"', "skriv sqlite:///FIL"),
        ('data = "data"', 'database = "nosuch://host/name"', "skriv sqlite:///FIL"),
        ("[site]", "[site", "är inte giltig TOML"),
        ("districts.bromma", "districts.brommma", "inget distrikt brommma. Menade du bromma?"),
        ("districts.bromma", "districts.zzzzzz", "inget distrikt zzzzzz; `utskick districts` listar dem"),
        ("[news]", '[sources.a]\nurl = "https://a.example"\ntopics = ["skolan"]\n[news]', "skolan. Menade du skola?"),
    ],
)
def test_a_mistake_in_the_config_names_the_key(  # fixtures and cases
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    right: str,
    wrong: str,
    says: str,
):
    sample = resource("config.toml").read_text(encoding="utf-8")
    assert right in sample
    (folder / "config.toml").write_text(sample.replace(right, wrong, 1), encoding="utf-8")

    status, line = told(capsys, monkeypatch, folder, "news", "list")

    assert status == 2
    assert says in line


@IN_FILES
def test_a_config_that_names_what_is_not_there_can_be_mended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    config = folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("districts.bromma", "districts.brommma"))
    shared = ("--config", config, "--data", folder / "data")

    assert run(*shared, "districts") == 0
    assert "bromma " in capsys.readouterr().out
    assert run(*shared, "db", "upgrade") == 0
    assert told(capsys, monkeypatch, folder, "run")[0] == 2


def _config_of_bytes(folder: Path) -> None:
    (folder / "config.toml").write_bytes(bytes(range(256)))


def _config_in_latin_1(folder: Path) -> None:
    (folder / "config.toml").write_bytes('data = "å"'.encode("latin-1"))


def _config_is_a_folder(folder: Path) -> None:
    (folder / "config.toml").unlink()
    (folder / "config.toml").mkdir()


def _keys_are_open_to_others(folder: Path) -> None:
    (folder / "keys.toml").chmod(0o644)


def _keys_are_gone(folder: Path) -> None:
    (folder / "keys.toml").unlink()


def _keys_are_a_folder(folder: Path) -> None:
    _keys_are_gone(folder)
    (folder / "keys.toml").mkdir()


def _keys_are_cut_short(folder: Path) -> None:
    (folder / "keys.toml").write_text('lookup = "x"')


def _data_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "data").touch()


def _database_is_newer(folder: Path) -> None:
    connection = sqlite3.connect(folder / "data" / "utskick.db")
    connection.execute("UPDATE alembic_version SET version_num = 'future'")
    connection.commit()
    connection.close()


def _database_is_none(folder: Path) -> None:
    for log in (folder / "data").glob("utskick.db-*"):
        log.unlink()  # the write-ahead log may hold the whole database still
    (folder / "data" / "utskick.db").write_bytes(os.urandom(5000))


def _database_is_a_folder(folder: Path) -> None:
    (folder / "data" / "utskick.db").unlink()
    (folder / "data" / "utskick.db").mkdir()


@IN_FILES
@pytest.mark.parametrize(
    ("breaking", "status", "says"),
    [
        (_config_of_bytes, 2, "är inte giltig TOML"),
        (_config_in_latin_1, 2, "är inte giltig TOML"),
        (_config_is_a_folder, 2, "går inte att läsa"),
        (_keys_are_open_to_others, 2, "chmod 600"),
        (_keys_are_gone, 2, "Det finns ingen nyckelfil"),
        (_keys_are_a_folder, 2, "går inte att läsa"),
        (_keys_are_cut_short, 2, "är inte hel"),
        (_data_is_a_file, 2, "Det finns ingen datamapp"),
        (_database_is_newer, 2, "nyare version av Utskick"),
        (_database_is_none, 1, "Databasfilen är skadad"),
        (_database_is_a_folder, 1, "Databasen går inte att öppna"),
    ],
)
def test_a_broken_installation_is_told_in_one_line(  # fixtures and cases
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    breaking: Callable[[Path], None],
    status: int,
    says: str,
):
    breaking(folder)

    left, line = told(capsys, monkeypatch, folder, "members", "list")

    assert left == status
    assert says in line


@IN_FILES
@pytest.mark.parametrize("name", ["UTSKICK_DATA__X", "UTSKICK_WEB__PORT__X"])
def test_an_environment_that_does_not_fit_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, installed: Path, name: str
):
    monkeypatch.setenv(name, "1")

    status, line = told(capsys, monkeypatch, installed, "news", "list")

    assert status == 2
    assert name in line


@IN_FILES
@pytest.mark.parametrize("command", ["web", "run"])
def test_a_taken_port_is_told_before_anything_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, installed: Path, command: str
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("UTSKICK_WEB__PORT", str(port))

        status, line = told(capsys, monkeypatch, installed, command)

    assert status == 2
    assert line == f"Port {port} är upptagen: sätt web.port till en annan."


def test_a_folder_that_cannot_be_made_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    status, line = told(capsys, monkeypatch, folder, "catch", "--smtp-port", 0, "--folder", folder / "config.toml")

    assert status == 1
    assert "config.toml" in line
    assert "går inte att använda" in line


@IN_FILES
@pytest.mark.parametrize(
    "command",
    [
        ("news", "show", OVERSIZED),
        ("news", "list", "--limit", OVERSIZED),
        ("members", "show", OVERSIZED),
        ("editions", "lead", "weekly", OVERSIZED),
        ("editions", "order", "weekly", OVERSIZED),
        ("editions", "preview", "--member", OVERSIZED),
        ("outbox", "uncertain", "settle", "weekly:2020-W01", OVERSIZED),
    ],
    ids=" ".join,
)
def test_a_number_too_large_for_the_database_is_refused(
    capsys: pytest.CaptureFixture[str], installed: Path, command: tuple[str, ...]
):
    status = run("--config", installed / "config.toml", "--data", installed / "data", *command)

    assert status == 2
    assert "Traceback" not in capsys.readouterr().err


@IN_FILES
def test_a_locked_database_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
):
    monkeypatch.setattr("mailer.db._BUSY_SECONDS", 0)
    other = sqlite3.connect(folder / "data" / "utskick.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    status, line = told(capsys, monkeypatch, folder, "members", "list")
    other.close()

    assert status == 1
    assert line == "Databasen är låst av ett annat program; försök igen om en stund."


def test_no_mail_server_is_told_with_what_to_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, installed: Path
):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("UTSKICK_PROVIDERS__SMTP__PORT", str(port))
    site = ("--config", installed / "config.toml", "--data", installed / "data")
    run(*site, "news", "add", "--title", "Ny cykelbana")
    run(*site, "editions", "draft")
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")
    capsys.readouterr()

    status = run(*site, "editions", "proof", "weekly", "anna@example.org", "--district", "bromma")

    assert status == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "kontrollera providers.smtp.host och port" in line
    assert "anna@" not in line
