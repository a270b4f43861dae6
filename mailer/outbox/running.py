"""How a process works: a worker's life after another, through whatever trouble comes."""

import asyncio
from contextlib import suppress

from mailer.errors import Trouble
from mailer.outbox.office import Office
from mailer.outbox.pauses import Pauses
from mailer.outbox.waiting import wait
from mailer.outbox.worker import Worker, tell

TRIES = 6  # to settle what is left when told to stop: some six seconds, and whoever told us to waits


async def run(office: Office, stop: asyncio.Event, wake: asyncio.Event | None = None) -> None:
    """Work until `stop`: then finish what is under way, and leave nothing uncertain. Trouble is waited out.

    Told to stop in the middle of a trouble we are our own heir, and settle what our journal says. Should the trouble
    last for some seconds more, the next worker on this machine does.

    wake  set by whoever knows that letters are due; else they are found within a second
    """
    pauses, well = Pauses(), True
    try:
        while not stop.is_set():
            try:
                async with Worker(office, stop, wake, pauses) as worker:
                    well = await worker.work()
            except (Trouble, OSError) as trouble:
                tell(trouble)
                await wait(stop, pauses.next())
        if not well:
            await _inherit(office, stop)
    finally:
        for carrier in office.carriers:
            await carrier.provider.close()


async def _inherit(office: Office, stop: asyncio.Event) -> None:
    """Settle what our own journal says, as soon as that can be done."""
    pauses = Pauses()
    for _ in range(TRIES):
        with suppress(Trouble, OSError):
            async with Worker(office, stop) as heir:
                await heir.recover()
            return
        await asyncio.sleep(pauses.next())


async def drain(office: Office) -> None:
    """Send all that is due now and return; what is deferred stays in the books.

    raises  Trouble when the database or the disk fails
    """
    try:
        async with Worker(office, asyncio.Event()) as worker:
            while await worker.round():
                pass
    finally:
        for carrier in office.carriers:
            await carrier.provider.close()
