"""A mail server that knows who is connected. It takes its time for each letter, and goes step by step."""

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Self

LETTER_TAKES = 1.0  # seconds: whoever sends has something under way
_LARGEST = 1 << 20


class Doorman:
    """Listens on `port` of the loopback, in a thread of its own. Clients call themselves by name in EHLO."""

    def __init__(self) -> None:
        self.port = 0
        self.most = 0  # clients at the same time; counted at EHLO, when whoever went before is known to be gone
        self._names: dict[asyncio.StreamWriter, str] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def connected(self) -> dict[str, int]:
        """Return how many connections each client has at this moment."""
        return dict(Counter(list(self._names.values())))

    async def _listen(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._receive, "127.0.0.1", 0, limit=_LARGEST)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a client that was killed
        finally:
            self._names.pop(writer, None)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 the door\r\n")
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if verb == "EHLO":
                self._names[writer] = rest
                self.most = max(self.most, len(self._names))
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                await self._take_time(reader)
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 the door\r\n")
            if verb == "QUIT":
                return

    async def _take_time(self, reader: asyncio.StreamReader) -> None:
        """Take as long as a letter takes, unless the client is killed meanwhile. raises ConnectionError"""
        try:
            await asyncio.wait_for(reader.read(1), LETTER_TAKES)
        except TimeoutError:
            return
        raise ConnectionError("gone in the middle of a letter")
