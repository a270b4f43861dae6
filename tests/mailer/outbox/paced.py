"""`python -m tests.mailer.outbox.paced DATABASE FOLDER PACE WORKERS` notes when it was given each letter.

It is one of so many WORKERS, and answers nothing until each of them has a letter: the quickest cannot take them all.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from mailer.pace import Pace
from mailer.providers import Desk, Receipt
from tests.mailer.outbox.posting import work_until_told
from tests.waiting import TICK


class NotingProvider:
    """Accepts everything on one connection, and appends the moment of each to a file."""

    def __init__(self, path: Path, workers: int) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._workers = workers

    async def carry(self, desk: Desk) -> None:
        while (outgoing := desk.take()) is not None:
            given = time.time()
            if desk.start([outgoing]):
                self._file.write(f"{given:.6f} {os.getpid()}\n".encode())
                await self._all_have_one()
                desk.settle(outgoing, Receipt("250 Ok"))
            else:
                desk.give_back(outgoing)

    async def _all_have_one(self) -> None:
        while self._workers and len(givers(self._path)) < self._workers:  # noqa: ASYNC110  a file tells nobody
            await asyncio.sleep(TICK)
        self._workers = 0
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._file.close()


def givers(path: Path) -> set[str]:
    """Return the workers that were given anything."""
    return {line.split()[1] for line in path.read_text().splitlines()}


def main(url: str, folder: Path, pace: Pace, workers: int) -> None:
    work_until_told(folder, url, NotingProvider(folder / "given", workers), pace)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Pace.model_validate_json(sys.argv[3]), int(sys.argv[4]))
