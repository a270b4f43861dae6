"""utskick worker: one delivery process. Any number may run, here or on other machines with the same database."""

import asyncio
import signal

import typer
import uvloop

from mailer.cli.frame import app_of, remark
from mailer.outbox.worker import Office, run


def worker(context: typer.Context) -> None:
    """Send what is due until told to stop; on SIGTERM or Ctrl-C finish what is under way first."""
    office = app_of(context).office()
    remark("The worker is ready.")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(office))


async def _until_told(office: Office) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(office, stop)
