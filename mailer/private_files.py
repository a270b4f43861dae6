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


def replace(path: Path, text: str) -> None:
    """Write `path` anew, whole or not at all, for the account that it belongs to. raises OSError"""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by one that was killed
    create(new, text)
    owner = path.stat()
    if (os.geteuid(), os.getegid()) != (owner.st_uid, owner.st_gid):
        os.chown(new, owner.st_uid, owner.st_gid)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)


def read(path: Path) -> bytes:
    """Return what stands in `path`.

    raises  Mistake when others may read it; OSError as `open`
    """
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Mistake("{path} is open to others: run `chmod 600 {path}`.", path=path)
        return file.read()
