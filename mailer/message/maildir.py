"""Mail as files: one per message in a Maildir (tmp, new, cur), whole or not there at all."""

import itertools
import os
from datetime import datetime
from pathlib import Path

from mailer.message import Message

_count = itertools.count()


def create(folder: Path) -> Path:
    """Make `folder` a Maildir, readable by its owner alone; keep what is in it."""
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def prepare(folder: Path, message: Message, *, now: datetime) -> Path:
    """Write `message` where no reader looks yet, with its envelope on top as a delivering server does it.

    returns  a path for `deliver`; unlinking it instead withdraws the message
    raises   OSError
    """
    path = folder / "tmp" / f"{int(now.timestamp() * 1_000_000):016d}.{os.getpid()}_{next(_count)}.utskick"
    envelope = f"Return-Path: <{message.sender}>\r\nDelivered-To: {message.recipient}\r\n".encode()
    path.write_bytes(envelope + message.content)
    return path


def deliver(path: Path) -> str:
    """Make a prepared message visible, in one step; return the name it is kept under."""
    path.rename(path.parent.parent / "new" / path.name)
    return path.name
