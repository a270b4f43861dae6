"""utskick catch: a mail server that sends nothing on, and its inbox page."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from mailer.app import App
from mailer.catcher import STOCKHOLM, Catcher, serve_catcher
from mailer.cli.frame import Frame, remark


def catch(
    context: typer.Context,
    smtp_port: Annotated[int, typer.Option(min=0, max=65535, help="Where mail is taken; 0 for any free port.")] = 2525,
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="Where the inbox is shown; 0 for any.")] = 8025,
    folder: Annotated[Path | None, typer.Option(help="Where mail is kept (a Maildir).", metavar="FOLDER")] = None,
) -> None:
    app = _installation(context.obj)
    catcher = Catcher(
        folder or (app.data_folder if app else Path()) / "caught",
        smtp_port=smtp_port,
        web_port=web_port,
        images_from=(_origin(app.settings.site.base_url),) if app else (),
        zone=app.settings.site.zone if app else STOCKHOLM,
    )
    asyncio.run(_serve(catcher))


def _installation(frame: Frame) -> App | None:
    """Catching needs no config; one that was named must be there."""
    return frame.app if frame.config is not None or frame.places.config.exists() else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _serve(catcher: Catcher) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve_catcher(catcher, ready=_announce, stop=stop)


def _announce(catcher: Catcher) -> None:
    remark(
        "Taking mail at {host}:{port}; the inbox is at {address}",
        host=catcher.host,
        port=catcher.smtp_port,
        address=catcher.web_address,
    )
    remark(
        'To send here, set host = "{host}", port = {port} and security = "none" in [providers.smtp].',
        host=catcher.host,
        port=catcher.smtp_port,
    )
    remark("Press Ctrl-C to stop. The mail stays in {folder}.", folder=catcher.inbox.folder)
