"""Where the OAuth access token comes from: the environment, a file or a command. They last an hour or so."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from pathlib import Path

from mailer import private_files
from mailer.errors import Mistake, ProviderDown
from mailer.providers.smtp.settings import Settings

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
_PATIENCE = 30.0  # seconds for a command


class Tokens:
    """Hands out one token until a server refuses it; all connections share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept = ""
        self._asking = asyncio.Lock()

    async def current(self) -> str:
        """Return the token that was good so far, or a new one.

        raises  ProviderDown when there is none to be had
        """
        async with self._asking:
            if not self._kept:
                self._kept = _checked(await self._fetch())
            return self._kept

    def refused(self, token: str) -> bool:
        """Note that a server does not take `token`. Returns whether `current` will ask for another one."""
        if self._kept == token:
            self._kept = ""
        return bool(self._settings.token_file or self._settings.token_command)

    async def _fetch(self) -> str:
        if self._settings.token_command:
            return await _run(self._settings.token_command)
        if self._settings.token_file:
            return _read(Path(self._settings.token_file))
        return self._settings.token.get_secret_value()


def _checked(text: str) -> str:
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise ProviderDown("What providers.smtp has for an OAuth token is none: one line of letters and digits.")
    return token


def _read(path: Path) -> str:
    try:
        return private_files.read(path).decode("ascii", "replace")
    except Mistake:
        raise ProviderDown("{path} is open to others: run `chmod 600 {path}`.", path=path) from None
    except OSError as error:
        raise ProviderDown("{file} cannot be read: {reason}.", file=path, reason=error.strerror) from None


async def _run(command: Sequence[str]) -> str:
    """Return what `command` prints. Its words are shown to nobody: they may hold the token."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    except OSError as error:
        raise ProviderDown(
            "providers.smtp.token_command {command} cannot be run: {reason}.", command=command[0], reason=error.strerror
        ) from None
    try:
        async with asyncio.timeout(_PATIENCE):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ProviderDown("providers.smtp.token_command {command} does not end.", command=command[0]) from None
    if process.returncode:
        raise ProviderDown(
            "providers.smtp.token_command {command} ended with status {status}: run it by hand to see why.",
            command=command[0],
            status=process.returncode,
        )
    return printed.decode("ascii", "replace")
