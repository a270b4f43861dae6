"""utskick worker: one delivery process. Any number may run, here or on other machines with the same database."""

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvloop

from mailer.app import App
from mailer.cli.frame import app_of, remark
from mailer.outbox.office import Office
from mailer.outbox.running import run


def worker(
    context: typer.Context,
    tethered: Annotated[bool, typer.Option("--tethered", help="Stop too when standard input is closed.")] = False,
) -> None:
    app = app_of(context)
    office = app.office()
    collect_rarely()
    give_way()
    remark("The worker is ready.")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(app, office, tether=sys.stdin.fileno() if tethered else None))


def collect_rarely() -> None:
    """Let the garbage collector pass over what is loaded now, and look seldom: a letter's parts need no collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def give_way() -> None:
    """Interrupt nobody who wakes up: a mail server on this machine goes on, and more of its answers come at once.

    Where the system has no such thing, or forbids it, nothing changes. Call before there are threads: they inherit it.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # sched(7): "slightly disfavored"


async def _until_told(app: App, office: Office, *, tether: int | None) -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    if tether is not None:  # nobody writes there: readable means that the one who started us is gone
        asyncio.get_running_loop().add_reader(tether, stop.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if app.engine.dialect.name == "sqlite":  # there the clock's process does what else there is to do
        await run(office, stop, wake)
        return
    from mailer.jobs.attending import attend  # noqa: PLC0415  # of the extra `postgres`

    await asyncio.gather(run(office, stop, wake), attend(app, stop, wake.set))
