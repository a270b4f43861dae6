"""utskick run, web and clock: the parts of a running installation, together or each by itself."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mailer.app import App
from mailer.cli.frame import Frame, app_of, remark
from mailer.jobs.clock import start_clock
from mailer.jobs.processes import Workers
from mailer.web import create_watch, create_web, listen, server_of

_LOOK = 1.0  # seconds


def run(context: typer.Context) -> None:
    app = app_of(context)
    app.office()  # a mistake in the providers is told now, by one program and not by each worker
    # A taken port is told before anything begins.
    with _door(app) as door, _watched(app), _delivering(app, context.obj), _ringing(app):
        _serve(app, door)


def web(context: typer.Context) -> None:
    app = app_of(context)
    app.engine.connect().close()
    with _door(app) as door, _watched(app):
        _serve(app, door)


def clock(context: typer.Context) -> None:
    app = app_of(context)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with _ringing(app):
        remark("The clock is running.")
        while not told.wait(_LOOK):  # a signal that the kernel gives to another thread does not end a wait without end
            pass


def _door(app: App) -> socket.socket:
    return listen(app.settings.web.host, app.settings.web.port)


def _serve(app: App, door: socket.socket) -> None:
    settings = app.settings.web
    for number in (signal.SIGTERM, signal.SIGINT):
        # Uvicorn finishes its answers and then raises the signal again: it has to reach our own clean-up.
        signal.signal(number, _leave)
    remark("The pages are at {address}", address=f"http://{settings.host}:{settings.port}/")
    server_of(create_web(app)).run(sockets=[door])


def _leave(*_: object) -> None:
    raise typer.Exit


@contextmanager
def _watched(app: App) -> Iterator[None]:
    """Let whoever watches over us ask, at a door of its own, if the config wants one."""
    settings = app.settings.metrics
    if not settings.port:
        yield
        return
    with listen(settings.host, settings.port, table="metrics") as door:
        server = server_of(create_watch(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="metrics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _ringing(app: App) -> Iterator[None]:
    app.engine.connect().close()  # no database or no keys: told at once, not by the first ring
    with start_clock(app):
        yield


@contextmanager
def _delivering(app: App, frame: Frame) -> Iterator[None]:
    places = ["--config", str(app.places.config.absolute()), "--data", str(app.data.absolute()), "--log", frame.log]
    workers = Workers(
        [sys.executable, "-m", "mailer.cli", "worker", "--tethered", *places], app.settings.outbox.workers
    )
    try:
        yield
    finally:
        remark("Finishing what is being sent.")
        workers.stop()
