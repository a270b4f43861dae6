"""Opens the two doors of the catcher, SMTP and the inbox page, and closes them."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import uvicorn
from aiosmtpd.smtp import SMTP

from mailer.catcher.inbox import Inbox
from mailer.catcher.pages import build_pages
from mailer.catcher.receiving import LONGEST_MESSAGE, Receiver
from mailer.clock import Clock, system_clock
from mailer.errors import Mistake, Trouble
from mailer.message import maildir

STOCKHOLM = ZoneInfo("Europe/Stockholm")


class Catcher:
    """An SMTP server and an inbox page over one Maildir, in the running event loop.

    folder       is made a Maildir; what is in it is shown too
    ports        0 takes a free one; `smtp_port` and `web_port` say which
    images_from  origins (such as "https://nyhet.example.org") whose images a shown mail may load
    raises       Mistake on entering when a port is taken
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        web_port: int = 0,
        images_from: tuple[str, ...] = (),
        zone: ZoneInfo = STOCKHOLM,
    ) -> None:
        self.host = host
        self.smtp_port = smtp_port
        self.web_port = web_port
        self.inbox = Inbox(folder)
        self._images_from = images_from
        self._zone = zone
        self._open = contextlib.AsyncExitStack()

    @property
    def web_address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.web_port}/"

    async def __aenter__(self) -> Self:
        maildir.create(self.inbox.folder)
        async with contextlib.AsyncExitStack() as opening:
            smtp = opening.enter_context(_listen(self.host, self.smtp_port, "--smtp-port"))
            web = opening.enter_context(_listen(self.host, self.web_port, "--web-port"))
            self.smtp_port, self.web_port = smtp.getsockname()[1], web.getsockname()[1]
            await opening.enter_async_context(_receiving(smtp, self.inbox.folder, system_clock))
            await opening.enter_async_context(_showing(web, self.inbox, self._zone, self._images_from))
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()


async def serve_catcher(catcher: Catcher, *, ready: Callable[[Catcher], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; call `ready` once both doors are open.

    raises  Mistake when a port is taken
    """
    async with catcher:
        ready(catcher)
        await stop.wait()


@contextlib.contextmanager
def _listen(host: str, port: int, option: str) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that name it: 40 ms a mail otherwise.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(100)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Mistake("Port {port} is taken: name another with {option}.", port=port, option=option) from None
            raise Mistake(
                "Port {port} of {host} cannot be opened ({reason}): name another with {option}.",
                port=port,
                host=host,
                reason=error.strerror,
                option=option,
            ) from None
        listener.setblocking(False)
        yield listener


@contextlib.asynccontextmanager
async def _receiving(listener: socket.socket, folder: Path, clock: Clock) -> AsyncIterator[None]:
    # aiosmtpd writes addresses to its log, and no log of ours may hold one.
    logging.getLogger("mail.log").disabled = True
    receiver = Receiver(folder, clock)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            receiver, hostname="catcher", data_size_limit=LONGEST_MESSAGE, enable_SMTPUTF8=True, ident="ready"
        ),
        sock=listener,
    )
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


class _Guest(uvicorn.Server):
    """A web server in someone else's event loop: signals belong to the host."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _showing(
    listener: socket.socket, inbox: Inbox, zone: ZoneInfo, images_from: tuple[str, ...]
) -> AsyncIterator[None]:
    host = listener.getsockname()[0]
    config = uvicorn.Config(
        build_pages(inbox, host=host, zone=zone, images_from=images_from),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    server = _Guest(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if serving.done():
                raise Trouble("The inbox page could not be served.")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving
