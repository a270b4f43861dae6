"""Workers of the tests in processes of their own, which end with the block that started them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]


@contextmanager
def started(module: str, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a worker of the tests; however the block ends, it ends too."""
    worker = subprocess.Popen(  # noqa: S603  our own worker
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def posting(folder: Path, database: str, *others: Path) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    """Run a worker that notes in `folder` to whom it sent.

    others  folders of workers for whose first letters it waits with the answer to its own
    """
    return started("tests.mailer.outbox.posting", str(folder), database, *map(str, others))


def accepted(folder: Path) -> list[str]:
    path = folder / "accepted"
    return path.read_text().splitlines() if path.exists() else []
