"""The first command of the README, as a newcomer runs it."""

import os
import subprocess
import sys
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path


def caught_by(folder: Path) -> list[EmailMessage]:
    """Return what the demo's inbox holds, the latest first as its page shows it."""
    newest_first = sorted((folder / "caught" / "new").iterdir(), key=lambda file: file.name, reverse=True)
    return [BytesParser(_class=EmailMessage, policy=default).parsebytes(file.read_bytes()) for file in newest_first]


def test_the_demo_sends_everybody_their_digest_and_says_so_in_a_table(tmp_path: Path):
    command = [sys.executable, "-m", "mailer", "demo", "--once", "--data", str(tmp_path / "demo")]

    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)  # noqa: S603  ourselves

    assert ran.returncode == 0, ran.stderr
    assert "500 members: 500 sent, 0 failed, 0 cancelled, 0 uncertain" in ran.stdout
    assert "500 of 500 reminders of the rally sent" in ran.stdout
    heading, bromma, *_ = ran.stdout.splitlines()[1:]
    assert heading.split() == ["district", "members", "items", "variants", "reminders"]
    assert bromma.split()[0] == "Bromma"
    mails = caught_by(tmp_path / "demo")
    digests = [mail for mail in mails if "<veckobrev." in mail["List-Id"]]
    assert mails[: len(digests)] == digests  # whoever opens the inbox sees them first
    assert {len(digests), len(mails) - len(digests)} == {480}  # a couple with one address gets one mail
    assert list(tmp_path.iterdir()) == [tmp_path / "demo"]
