"""utskick catch as a person runs it: in a process of its own."""

import re
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.waiting import PATIENCE

PROGRAM = """
import os, typer
from mailer.cli.catch import catch
from mailer.cli.frame import Frame
commands = typer.Typer()
commands.command()(catch)
commands(obj=Frame(environ={}))
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  our own program and arguments
        [sys.executable, "-c", PROGRAM, "--folder", str(folder / "caught"), *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_needs_no_config_says_where_it_listens_keeps_mail_and_stops_when_told(tmp_path: Path) -> None:
    with start(tmp_path, "--smtp-port", "0", "--web-port", "0") as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        place = re.fullmatch(r"Taking mail at 127\.0\.0\.1:(\d+); the inbox is at (http://127\.0\.0\.1:\d+/)\n", said)
        assert place is not None
        with smtplib.SMTP("127.0.0.1", int(place[1])) as client:
            client.sendmail("brev@example.org", ["anna@example.net"], b"Subject: Hej\r\n\r\nx\r\n")
        assert "anna@example.net" in httpx.get(place[2]).text

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=PATIENCE) == 0
        rest = process.stderr.read()
        assert "anna" not in rest
        assert "Traceback" not in rest
    assert len(list((tmp_path / "caught" / "new").iterdir())) == 1


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start(tmp_path, "--smtp-port", str(port)) as process:
            _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert f"Port {port} is taken: name another with --smtp-port." in said
