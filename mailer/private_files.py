"""Files that hold a secret: made for their owner only, and refused when others could read them."""

import os
import stat
from pathlib import Path

from mailer.errors import Mistake


def create(path: Path, text: str) -> None:
    """Write a new file of mode 0600. raises FileExistsError; never writes over one"""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def read(path: Path) -> bytes:
    """Return what stands in `path`.

    raises  Mistake when others may read it; OSError as `open`
    """
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Mistake("{path} is open to others: run `chmod 600 {path}`.", path=path)
        return file.read()
