"""utskick demo: this week's sample edition, from news to a local inbox."""

import asyncio
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI

from mailer.app import App
from mailer.catcher import Catcher
from mailer.cli.frame import Frame, remark
from mailer.cli.progress import progress_bar
from mailer.cli.tables import print_table
from mailer.demo import stage
from mailer.demo.figures import Row, per_district
from mailer.digest import editions, sending
from mailer.errors import Mistake
from mailer.i18n import _
from mailer.outbox.running import drain
from mailer.outbox.status import Status, find, status
from mailer.reminders import keeping
from mailer.reminders.plan import Planner
from mailer.web import create_web, listen, server_of

HOST = "127.0.0.1"
PAGES_PORT, INBOX_PORT = 8080, 8025
_LOOK = 0.5  # seconds
_COLUMNS = ("district", "members", "items", "variants", "reminders")
_STEP = "reminder-3d-before"


@dataclass(frozen=True, slots=True)
class Sent:
    books: Status
    reminder: Status
    rows: Sequence[Row]
    seconds: float


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Stop after the table.")] = False,
) -> None:
    frame: Frame = context.obj
    folder = (frame.data or Path("demo")).absolute()
    with stage.cleared(folder):
        asyncio.run(_play(folder, once=once))


async def _play(folder: Path, *, once: bool) -> None:
    with _free(PAGES_PORT) as pages:
        base_url = f"http://{HOST}:{pages.getsockname()[1]}"
        catcher = Catcher(folder / "caught", web_port=0 if once else _or_any(INBOX_PORT), images_from=(base_url,))
        async with catcher:
            app = await asyncio.to_thread(stage.build, folder, base_url=base_url, smtp_port=catcher.smtp_port)
            _show(await _send_this_week(app), app.settings.site.zone)
            if not once:
                await _serve_until_told(create_web(app), pages, base_url, catcher)


async def _send_this_week(app: App) -> Sent:
    remark("Importing the sample news …")
    items = await asyncio.to_thread(stage.import_news, app)
    rally = await asyncio.to_thread(stage.import_events, app)
    remark("{items} items. Importing 500 invented members …", items=items)
    with progress_bar() as progress:
        await asyncio.to_thread(stage.import_members, app, progress)
    reminder = await _remind(app, rally)
    remark("Planning this week's edition …")
    edition_id = _approved(app)
    with progress_bar() as progress:
        order = (app.press(), edition_id, app.now(), progress)
        planned = await asyncio.to_thread(sending.send_now, *order)
    remark("Sending {count} letters over SMTP …", count=planned.candidates)
    began = time.monotonic()
    await _drain(app, planned.key)  # after the reminders: the inbox shows the latest first
    seconds = time.monotonic() - began
    with app.reading() as session:
        connection = session.connection()
        [books] = status(connection, planned.key)
        [about_rally] = status(connection, reminder)
        rows = per_district(session, find(connection, planned.key), find(connection, reminder))
    return Sent(books, about_rally, rows, seconds)


async def _remind(app: App, rally: int) -> str:
    """Send the reminder of the rally, whose time has not come yet; returns its key."""
    planner = Planner(app.engine, app.settings, app.links, app.now())
    planned = await asyncio.to_thread(keeping.send_now, planner, rally, _STEP)
    remark("Sending {count} reminders of the rally …", count=planned.candidates)
    await _drain(app, planned.key)
    return planned.key


async def _drain(app: App, key: str) -> None:
    """Send, in a loop of its own: the catcher is busy in this one."""
    work = asyncio.create_task(asyncio.to_thread(asyncio.run, drain(app.office())))
    with progress_bar() as progress:
        while not work.done():
            with app.reading() as session:
                [books] = status(session.connection(), key)
            progress("Sending", books.candidates - books.queued, books.candidates)
            await asyncio.wait([work], timeout=_LOOK)
    await work


def _approved(app: App) -> int:
    now = app.now()
    with app.writing() as session:
        edition = editions.draft(session, app.settings, app.settings.digest.publication, now)
        if edition is None or edition.id is None:
            raise Mistake("The demo folder has an edition already: run the demo again.")
        editions.set_intro(
            session,
            edition,
            "Det här är ett provbrev med påhittade medlemmar. Du får bara nyheter från de delar av staden och "
            "de ämnen som du själv har valt.",
        )
        editions.approve(session, edition, who=stage.WHO, now=now)
        return edition.id


def _show(sent: Sent, zone: tzinfo) -> None:
    books = sent.books
    print_table([asdict(row) for row in sent.rows], _COLUMNS, zone=zone, title=books.key)
    line = _(
        "{candidates} members: {sent} sent, {failed} failed, {cancelled} cancelled, {uncertain} uncertain; "
        "{rate} messages per second."
    )
    typer.echo(
        line.format(
            candidates=books.candidates,
            sent=books.sent,
            failed=books.failed,
            cancelled=books.cancelled,
            uncertain=books.uncertain,
            rate=round(books.sent / sent.seconds),
        )
    )
    reminder = sent.reminder
    line = _("{mailing}: {sent} of {candidates} reminders of the rally sent.")
    typer.echo(line.format(mailing=reminder.key, sent=reminder.sent, candidates=reminder.candidates))


async def _serve_until_told(web: FastAPI, pages: socket.socket, base_url: str, catcher: Catcher) -> None:
    server = server_of(web)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    remark("The inbox with every letter: {address}", address=catcher.web_address)
    remark("The members' pages, where its links lead: {address}", address=base_url)
    remark("Press Ctrl-C to stop. `make demo` begins anew.")
    await asyncio.to_thread(server.run, sockets=[pages])


def _free(port: int) -> socket.socket:
    """Listen at `port`, or at any free one when somebody else does."""
    try:
        return listen(HOST, port)
    except Mistake:
        return listen(HOST, 0)


def _or_any(port: int) -> int:
    """Return `port` when it is free, 0 for any when it is not."""
    try:
        listen(HOST, port).close()
    except Mistake:
        return 0
    return port
