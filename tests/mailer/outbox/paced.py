"""`python -m tests.mailer.outbox.paced DATABASE FOLDER PACE` is a worker that notes when it was given each letter."""

import asyncio
import os
import sys
import time
from pathlib import Path

from mailer.pace import Pace
from mailer.providers import Desk, Receipt
from tests.mailer.outbox.posting import work_until_told


class NotingProvider:
    """Accepts everything on one connection, and appends the moment of each to a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    async def carry(self, desk: Desk) -> None:
        while (outgoing := desk.take()) is not None:
            given = time.time()
            if desk.start([outgoing]):
                self._file.write(f"{given:.6f} {os.getpid()}\n".encode())
                await asyncio.sleep(0)
                desk.settle(outgoing, Receipt("250 Ok"))
            else:
                desk.give_back(outgoing)

    async def close(self) -> None:
        self._file.close()


def main(url: str, folder: Path, pace: Pace) -> None:
    work_until_told(folder, url, NotingProvider(folder / "given"), pace)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Pace.model_validate_json(sys.argv[3]))
