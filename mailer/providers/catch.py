"""Catch: mail goes to files in the data folder and nowhere else. For trying things without a server."""

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mailer.clock import Clock, system_clock
from mailer.errors import ProviderDown
from mailer.message import maildir
from mailer.providers import Desk, Outgoing, Provider, Receipt

_BREATHE = 50  # messages between two looks at what else the event loop has to do


class Settings(BaseModel):
    """[providers.catch] in config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = "caught"  # a Maildir, in the data folder unless it is an absolute path


class Catch:
    """Keeps every message as a file (mailer.providers.Provider)."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._now = clock

    async def carry(self, desk: Desk) -> None:
        """Write all that `desk` hands over.

        raises  ProviderDown when the folder cannot be written to
        """
        carried = 0
        while (outgoing := desk.take()) is not None:
            try:
                maildir.create(self._folder)
                path = maildir.prepare(self._folder, outgoing.message, now=self._now())
            except OSError as error:
                desk.give_back(outgoing)
                raise ProviderDown(
                    "{folder} cannot be written to: {reason}.", folder=self._folder, reason=error.strerror
                ) from None
            self._finish(desk, outgoing, path)
            carried += 1
            if carried % _BREATHE == 0:
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Nothing is open."""

    def _finish(self, desk: Desk, outgoing: Outgoing, path: Path) -> None:
        if desk.start([outgoing]):
            desk.settle(outgoing, Receipt(maildir.deliver(path)))
        else:
            path.unlink()
            desk.give_back(outgoing)


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; its folder is made when the first message comes."""
    return Catch(data / settings.folder, clock)
