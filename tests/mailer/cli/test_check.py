"""utskick check, against a name server on loopback."""

import json
import re
from pathlib import Path

import pytest

from mailer.cli import main
from tests.mailer.dns.servers import SILENT, a_name_server

DOMAIN = "nyhet.example.org"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    assert run("init", "--config", tmp_path / "config.toml", "--data", tmp_path / "data") == 0
    return tmp_path / "config.toml"


def test_before_anything_is_set_up_each_thing_to_mend_is_a_line(config: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    with a_name_server({}) as (address, port):
        assert run("--config", config, "check", "--server", f"{address}:{port}") == 1

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("mend: ") for line in lines)
    assert f"utskick dkim new {DOMAIN}" in lines[0]


def test_what_new_prints_is_good_once_it_is_published(config: Path, capsys: pytest.CaptureFixture[str]):
    run("--config", config, "dkim", "new", DOMAIN, "--selector", "s1")
    table, _, record = capsys.readouterr().out.partition("\n\n")
    text = config.read_text(encoding="utf-8").replace("http://127.0.0.1:8080", "https://m.example.org")
    config.write_text(f"{text}\n{table}\n", encoding="utf-8")
    strings = " ".join(re.findall(r'"[^"]*"', record))
    zone = {
        f"s1._domainkey.{DOMAIN}": [strings],
        DOMAIN: ['"v=spf1 include:relay.example -all"'],
        "_dmarc.example.org": ['"v=DMARC1; p=none"'],
    }

    with a_name_server(zone) as (address, port):
        assert run("--config", config, "check", "--server", f"{address}:{port}", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert [each["good"] for each in found] == [True] * 4
    assert found[0]["finding"] == f"s1._domainkey.{DOMAIN} holds our key."


def test_spf_is_looked_for_where_the_envelope_senders_are(config: Path, capsys: pytest.CaptureFixture[str]):
    text = config.read_text(encoding="utf-8").replace('bounce_domain = ""', 'bounce_domain = "studs.example.org"')
    config.write_text(text, encoding="utf-8")
    capsys.readouterr()

    with a_name_server({"studs.example.org": ['"v=spf1 a:relay.example -all"']}) as (address, port):
        run("--config", config, "check", "--server", f"{address}:{port}")

    assert "good: studs.example.org has an SPF record." in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("records", "line"),
    [
        (["20 second.example.", "10 first.example."], "good: Bounces to studs.example.org go to first.example, second"),
        (None, "mend: studs.example.org has no MX record"),
        (["0 ."], "mend: studs.example.org says that it takes no mail (a null MX)"),
    ],
    ids=["there", "none", "null"],
)
def test_bounces_have_to_find_their_way(
    config: Path, records: list[str] | None, line: str, capsys: pytest.CaptureFixture[str]
):
    text = config.read_text(encoding="utf-8").replace('bounce_domain = ""', 'bounce_domain = "studs.example.org"')
    config.write_text(text, encoding="utf-8")
    capsys.readouterr()

    with a_name_server({"MX studs.example.org": records} if records else {}) as (address, port):
        run("--config", config, "check", "--server", f"{address}:{port}")

    assert any(each.startswith(line) for each in capsys.readouterr().out.splitlines())


def test_whether_bounces_find_their_way_is_not_guessed(config: Path, capsys: pytest.CaptureFixture[str]):
    text = config.read_text(encoding="utf-8").replace('bounce_domain = ""', f'bounce_domain = "{SILENT}"')
    config.write_text(text, encoding="utf-8")
    capsys.readouterr()

    with a_name_server({}) as (address, port):
        assert run("--config", config, "check", "--server", f"{address}:{port}") == 1

    assert f"mend: No name server answered for {SILENT}" in capsys.readouterr().out


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1:x", "a:b:c"])
def test_a_name_server_is_given_by_its_address(config: Path, server: str, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    assert run("--config", config, "check", "--server", server) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert "is no name server" in line
