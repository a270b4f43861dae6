"""The help of every command, in the language of whoever asks."""

import re

import pytest

from mailer.cli import main

ENGLISH = re.compile(r"Usage|Options|Commands|Arguments|required|default|Show this|ARGS|<bool>")


@pytest.mark.parametrize("command", [(), ("news",), ("news", "import"), ("catch",)], ids=" ".join)
def test_help_is_in_the_language_of_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")

    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])

    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert not ENGLISH.findall(shown)
    assert f"Så här: {' '.join(('utskick', *command))}" in shown


def test_help_is_english_again_for_the_next_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    for language in ("sv_SE.UTF-8", "en_US.UTF-8"):
        monkeypatch.setenv("LANG", language)
        with pytest.raises(SystemExit):
            main(["news", "import", "--help"])

    shown = capsys.readouterr().out
    assert shown.count("Usage: utskick news import [OPTIONS]") == 1
    assert shown.count("[required]") == 1
