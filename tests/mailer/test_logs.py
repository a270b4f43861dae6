import json
import logging
import os

import pytest
import structlog

from mailer import logs


def test_a_log_line_is_json_with_addresses_masked(capsys: pytest.CaptureFixture[str]):
    logs.configure(debug=False)

    structlog.get_logger().warning("refused", answer="550 <anna.svensson@example.org> unknown")

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "refused"
    assert line["level"] == "warning"
    assert "anna" not in line["answer"]
    assert line["answer"].startswith("550")


def test_what_libraries_log_is_masked_too(capsys: pytest.CaptureFixture[str]):
    logs.configure(debug=False)

    logging.getLogger("some.library").error("could not reach %s", "anna.svensson@example.org")

    assert "anna" not in capsys.readouterr().err


def test_an_address_in_an_exception_is_masked(capsys: pytest.CaptureFixture[str]):
    logs.configure(debug=False)
    try:
        int("anna.svensson@example.org")
    except ValueError:
        structlog.get_logger().exception("failed")

    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "anna" not in shown


def test_what_is_logged_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]):
    logs.configure(debug=False)

    structlog.get_logger().warning("broken", reason="\x1b]0;owned\x07\x9b2J")

    assert json.loads(capsys.readouterr().err)["reason"] == "]0;owned2J"


def test_the_form_of_the_log_can_be_chosen(capsys: pytest.CaptureFixture[str]):
    logs.configure(debug=False, form="text")
    structlog.get_logger().warning("refused", delivery=7)

    shown = capsys.readouterr().err
    assert "delivery=7" in shown
    assert not shown.startswith("{")


def test_a_line_that_finds_the_disk_full_stops_nobody(monkeypatch: pytest.MonkeyPatch):
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr("sys.stderr", os.fdopen(full, "w", closefd=False))
    logs.configure(debug=False)

    structlog.get_logger().warning("the disk is full")

    monkeypatch.undo()
    os.close(full)
