"""utskick receive: takes what a mail server on this machine hands over for the bounce domain."""

import asyncio
import signal
from datetime import datetime

import typer

from mailer.app import App
from mailer.cli.frame import app_of, remark
from mailer.errors import SendError
from mailer.feedback.forwarding import Forwarder, forward
from mailer.feedback.receiving import Addresses, Receiver, Reception, open_door


def receive(context: typer.Context) -> None:
    app = app_of(context)
    app.engine.connect().close()
    asyncio.run(_serve(app))


async def _serve(app: App) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    settings = app.settings.feedback.receive
    async with open_door(Receiver(reception_of(app)), settings) as port:
        remark("Taking mail at {host}:{port} ({protocol}).", host=settings.host, port=port, protocol=settings.protocol)
        await stop.wait()


def reception_of(app: App) -> Reception:
    """Return what taking mail needs of an installation."""
    publications = app.settings.publications.values()
    named = [address for each in publications for address in (each.from_address, each.unsubscribe_address)]
    addresses = Addresses.of(
        app.settings.feedback.bounce_domain, (*named, *app.settings.feedback.addresses), app.links.tokens
    )
    return Reception(
        addresses=addresses,
        writing=app.writing,
        forward=(lambda octets, now: _forward(app, octets, now)) if app.settings.feedback.forward_to else None,
        now=app.now,
    )


def _forward(app: App, octets: bytes, now: datetime) -> None:
    """raises SendError when it may not have arrived: whoever brought it keeps it"""
    publication = next(iter(app.settings.publications.values()))
    by = Forwarder(publication.from_name, publication.from_address, app.settings.feedback.forward_to)
    [outcome] = asyncio.run(app.post([forward(octets, by, now=now)]))
    if isinstance(outcome, SendError):
        raise outcome
