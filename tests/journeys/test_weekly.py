"""The whole way: a feed comes in, an edition goes out over real SMTP, a member leaves, the next one lacks them."""

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from fastapi.testclient import TestClient
from sqlmodel import Session, col, select

from mailer import keys
from mailer.app import App, Places
from mailer.catcher import Catcher
from mailer.config import Settings
from mailer.config.news import Source
from mailer.config.outbox import ProviderTable
from mailer.digest import editions
from mailer.digest.models import Edition
from mailer.jobs.editions import keep_editions
from mailer.jobs.news import fetch_source
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState
from mailer.outbox.running import drain
from mailer.outbox.status import status
from mailer.queue import DELIVER
from mailer.web import create_web
from subscribers.importing import run
from subscribers.importing.target import Policy
from subscribers.models import Ground
from tests.builders import some_settings
from tests.databases import everything_in, stored_in

MONDAY = datetime(2024, 3, 4, 7, 0, tzinfo=UTC)  # 08:00 in Stockholm
THURSDAY = MONDAY + timedelta(days=3)
WEEK = timedelta(weeks=1)

MEMBERS = """Medlemsnummer;Förnamn;Efternamn;E-post;Stadsdelar
1;Anna;Åström;anna.astrom@example.org;Bromma
2;Bo;Öberg;bo.oberg@example.org;Farsta
3;Cilla;Ärlig;cilla.arlig@example.org;Bromma
""".encode("cp1252")


def feed(*items: tuple[str, str]) -> bytes:
    entries = "".join(
        f"<item><guid>{title}</guid><title>{title}</title><description>{text}</description>"
        f"<link>https://example.org/{number}</link></item>"
        for number, (title, text) in enumerate(items)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{entries}</channel></rss>'.encode()


FIRST_WEEK = (
    ("Ny park i Bromma", "Parken i Bromma invigs i maj."),
    ("Simhall i Farsta öppnar", "Simhallen i Farsta är klar."),
    ("Budgeten är beslutad", "Den gäller hela staden."),
)
SECOND_WEEK = (("Bromma får en ny skola", "Skolan i Bromma byggs nästa år."), *FIRST_WEEK)


@contextmanager
def news_server(pages: dict[str, bytes]) -> Iterator[str]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(pages["/feed"])

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/feed"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Door:
    """A server that takes mail, and refuses one address in its own words, which quote all it was told."""

    def __init__(self, refused: str) -> None:
        self.refused = refused
        self.taken: dict[str, EmailMessage] = {}

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's own name
        [address] = envelope.rcpt_tos
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        if address == self.refused:
            return f"550 5.1.1 {mail['To']}: <{address}> ({address.upper()}) is no user here"
        self.taken[address] = mail
        return f"250 2.0.0 queued for {address}"


class Installation:
    """One installation whose clock the test sets."""

    def __init__(self, folder: Path, database: str, feed_url: str) -> None:
        self.moment = MONDAY
        self.folder = folder
        places = Places(config=folder / "config.toml", data=folder / "data", keys=folder / "keys.toml")
        keys.create(places.keys)
        settings = self._settings(feed_url, smtp_port=25).model_copy(update={"database": database})
        self.app = App(settings, places, clock=lambda: self.moment)
        self.app.prepare()

    def _settings(self, feed_url: str, *, smtp_port: int) -> Settings:
        smtp = ProviderTable.model_validate({"host": "127.0.0.1", "port": smtp_port, "security": "none"})
        settings = some_settings()
        return settings.model_copy(
            update={
                "sources": {"distriktet": Source(url=feed_url)},
                "news": settings.news.model_copy(update={"allow_hosts": ("127.0.0.1",)}),
                "providers": {"smtp": smtp},
            }
        )

    def import_members(self) -> None:
        policy = Policy(publications=("weekly",), ground=Ground.MEMBER, language="sv")
        file = run.MemberFile(data=MEMBERS, name="medlemmar.csv", sheet=None, said={})
        with self.app.reading() as session:
            prepared = run.prepare(session, file, policy, lambda *_: None)
        run.carry_out(self.app.writing, prepared, who="test", now=self.moment, progress=lambda *_: None)

    def ring(self, moment: datetime) -> None:
        """Let the clock ring, twice as it may."""
        self.moment = moment
        for _ in range(2):
            for source in self.app.settings.sources:
                fetch_source(self.app, moment, source)
            keep_editions(self.app, moment)

    def approve(self) -> None:
        with self.app.writing() as session:
            edition = session.exec(select(Edition).order_by(col(Edition.id).desc())).first()
            assert edition is not None
            editions.approve(session, edition, who="anna", now=self.moment)

    def deliver(self) -> dict[str, EmailMessage]:
        """Send what is due to a real server; return the mails by recipient."""

        async def send() -> list[Path]:
            async with Catcher(self.folder / f"caught-{self.moment:%j}") as catcher:
                await self._drain(catcher.smtp_port)
                return list((catcher.inbox.folder / "new").iterdir())

        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in asyncio.run(send())]
        return {mail["To"].addresses[0].addr_spec: mail for mail in mails}

    def deliver_to(self, door: "Door") -> None:
        async def send() -> None:
            loop = asyncio.get_running_loop()
            controller = UnthreadedController(door, hostname="127.0.0.1", port=0, loop=loop)
            listening = await controller._create_server()
            await self._drain(listening.sockets[0].getsockname()[1])
            listening.close()
            await listening.wait_closed()

        asyncio.run(send())

    async def _drain(self, port: int) -> None:
        smtp = ProviderTable.model_validate({"host": "127.0.0.1", "port": port, "security": "none"})
        self.app.settings = self.app.settings.model_copy(update={"providers": {"smtp": smtp}})
        await drain(self.app.office())


@pytest.fixture
def pages() -> dict[str, bytes]:
    return {"/feed": feed(*FIRST_WEEK)}


@pytest.fixture
def here(tmp_path: Path, site_database: str, pages: dict[str, bytes]) -> Iterator[Installation]:
    with news_server(pages) as url:
        installation = Installation(tmp_path, site_database, url)
        installation.import_members()
        yield installation
        installation.app.engine.dispose()


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def unsubscribe_path(mail: EmailMessage) -> str:
    [path] = re.findall(r"<http://127\.0\.0\.1:8080(/u/[\w-]{23})>", mail["List-Unsubscribe"])
    return str(path)


def states(session: Session) -> list[DeliveryState]:
    return list(session.exec(select(Delivery.state)))


def test_a_week_and_the_next(here: Installation, pages: dict[str, bytes]):
    here.ring(MONDAY)
    here.approve()
    here.ring(THURSDAY - timedelta(minutes=1))
    assert here.deliver() == {}  # not before its time

    here.ring(THURSDAY)
    first = here.deliver()

    assert set(first) == {"anna.astrom@example.org", "bo.oberg@example.org", "cilla.arlig@example.org"}
    assert "Hej Anna" in text(first["anna.astrom@example.org"])
    assert "Ny park i Bromma" in text(first["anna.astrom@example.org"])
    assert "Simhall" not in text(first["anna.astrom@example.org"])
    assert "Simhall i Farsta" in text(first["bo.oberg@example.org"])
    assert all("Budgeten" in text(mail) for mail in first.values())

    client = TestClient(create_web(here.app), base_url="http://127.0.0.1:8080")
    path = unsubscribe_path(first["anna.astrom@example.org"])
    assert client.get(path).status_code == 200
    answer = client.post(path, data={"List-Unsubscribe": "One-Click"}, follow_redirects=False)
    assert (answer.status_code, answer.cookies) == (200, {})

    pages["/feed"] = feed(*SECOND_WEEK)
    here.ring(MONDAY + WEEK)
    here.approve()
    here.ring(THURSDAY + WEEK)
    second = here.deliver()

    assert set(second) == {"cilla.arlig@example.org"}  # Anna left, and Bo has nothing new
    assert "ny skola" in text(second["cilla.arlig@example.org"])
    assert "Ny park" not in text(second["cilla.arlig@example.org"])  # nobody gets a story twice
    with here.app.reading() as session:
        books = status(session.connection())
        assert {one.state for one in books} == {MailingState.DONE}
        assert all(one.balanced for one in books)


def test_whoever_leaves_between_planning_and_sending_does_not_get_it(here: Installation):
    here.ring(MONDAY)
    here.approve()
    here.ring(THURSDAY)
    with here.app.reading() as session:
        mailing = session.exec(select(Mailing)).one()
        member = session.exec(select(Delivery.member_id).order_by(col(Delivery.member_id))).first()
    link = here.app.links.unsubscribe(member or 0, mailing.id or 0)
    TestClient(create_web(here.app)).post(
        link.removeprefix("http://127.0.0.1:8080"), data={"List-Unsubscribe": "One-Click"}
    )

    assert len(here.deliver()) == 2
    with here.app.reading() as session:
        assert sorted(states(session)) == ["cancelled", "sent", "sent"]


def test_down_over_both_rings_the_edition_is_held_and_nothing_is_sent(here: Installation):
    here.ring(MONDAY)
    here.approve()

    here.ring(THURSDAY + timedelta(hours=13))  # the grace is 12 hours

    assert here.deliver() == {}
    with here.app.reading() as session:
        assert session.exec(select(Mailing.state)).one() == MailingState.HELD


def test_down_over_the_ring_but_within_its_grace_it_is_sent(here: Installation):
    here.ring(MONDAY)
    here.approve()

    here.ring(THURSDAY + timedelta(hours=11))

    assert len(here.deliver()) == 3


def test_a_start_in_mid_week_drafts_what_monday_missed(here: Installation):
    here.ring(MONDAY + timedelta(days=1, hours=5))

    with here.app.reading() as session:
        assert session.exec(select(Edition.period)).all() == ["2024-W10"]


def test_no_file_and_no_log_line_names_a_member(
    here: Installation, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, logger="mail.log")  # the receiving server's own
    here.ring(MONDAY)
    here.approve()
    here.ring(THURSDAY)
    door = Door(refused="bo.oberg@example.org")
    here.deliver_to(door)
    TestClient(create_web(here.app)).get(unsubscribe_path(door.taken["anna.astrom@example.org"]))
    with here.app.reading() as session:
        [answer] = session.exec(select(Delivery.answer).where(Delivery.state == DeliveryState.FAILED))

    assert "is no user here" in answer
    kept = [path for path in (here.folder / "data").rglob("*") if path.is_file()]
    said = "".join(capfd.readouterr()) + caplog.text
    words = b"".join(path.read_bytes() for path in kept) + stored_in(here.app.engine) + said.encode()

    assert len(stored_in(here.app.engine)) > 100_000  # bytes: it is there
    if here.app.engine.dialect.name == "postgresql":
        assert DELIVER in everything_in(here.app.engine)["procrastinate_jobs"][0]  # and so are the arguments of jobs
    for secret in ("astrom", "Åström", "bo.oberg", "BO.OBERG", "Cilla"):
        for encoding in ("utf-8", "cp1252", "utf-16-le"):
            assert secret.encode(encoding) not in words
