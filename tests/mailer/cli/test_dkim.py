"""utskick dkim: from nothing to a letter that verifies."""

import json
import re
from pathlib import Path

import pytest

from mailer import config
from mailer.cli import main
from mailer.message.dkim import Signer
from mailer.signing import open_signer

DOMAIN = "nyhet.example.org"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    assert run("init", "--config", tmp_path / "config.toml", "--data", tmp_path / "data") == 0
    return tmp_path


def dkim(site: Path, *arguments: object) -> int:
    return run("--config", site / "config.toml", "dkim", *arguments)


def signer_of(site: Path) -> Signer:
    return open_signer(config.load(site / "config.toml", {}).dkim, site)


def adopt(site: Path, printed: str) -> None:
    """Write into the config what a person would paste."""
    table = printed.partition("\n\n")[0]
    with (site / "config.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{table}\n")


def test_what_new_prints_can_be_pasted_and_signs(site: Path, capsys: pytest.CaptureFixture[str]):
    assert dkim(site, "new", DOMAIN, "--selector", "2026b") == 0
    shown = capsys.readouterr()
    adopt(site, shown.out)

    letter = signer_of(site).sign(b"From: brev@nyhet.example.org\r\n\r\nHej\r\n")

    assert b"d=nyhet.example.org;\r\n s=2026b;" in letter
    assert "keep a copy" in shown.err
    assert (site / "dkim" / f"{DOMAIN}.2026b.pem").stat().st_mode & 0o777 == 0o600


def test_the_record_is_the_same_when_shown_again_and_its_strings_fit(site: Path, capsys: pytest.CaptureFixture[str]):
    dkim(site, "new", DOMAIN, "--selector", "2026b")
    printed = capsys.readouterr().out
    adopt(site, printed)
    assert dkim(site, "dns") == 0
    line = capsys.readouterr().out.strip()
    assert dkim(site, "dns", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)

    assert line in printed
    assert line.startswith(f"2026b._domainkey.{DOMAIN}. IN TXT ( ")
    strings = re.findall(r'"([^"]*)"', line)
    assert row == {"name": f"2026b._domainkey.{DOMAIN}", "type": "TXT", "strings": strings}
    assert max(map(len, strings)) <= 255
    assert "".join(strings).startswith("v=DKIM1; k=rsa; p=MIIB")


def test_new_fills_the_file_that_the_config_names_already(site: Path, capsys: pytest.CaptureFixture[str]):
    adopt(site, f'[dkim."{DOMAIN}"]\nselector = "s1"\nkey = "my.pem"\n\n')

    assert dkim(site, "new", DOMAIN) == 0

    assert "[dkim" not in capsys.readouterr().out
    assert b"s=s1;" in signer_of(site).sign(b"From: brev@nyhet.example.org\r\n\r\nHej\r\n")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("dns",), "The config has no [dkim]"),
        (("new", "inte en domän"), "is no domain"),
        (("new", DOMAIN, "--selector", "a b"), "is no selector"),
    ],
)
def test_a_mistake_is_one_sentence(site: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], says: str):
    capsys.readouterr()

    assert dkim(site, *command) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_a_key_is_never_written_over(site: Path, capsys: pytest.CaptureFixture[str]):
    assert dkim(site, "new", DOMAIN) == 0
    before = {path: path.read_bytes() for path in (site / "dkim").iterdir()}

    assert dkim(site, "new", DOMAIN) == 2

    assert "never overwritten" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (site / "dkim").iterdir()} == before
