"""What a mail scanner does to the demo's edition: it asks for every link of 500 mails and every page behind them."""

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import unescape
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from fastapi import FastAPI

from mailer import keys
from mailer.app import App, Places
from mailer.demo import stage
from mailer.digest import editions, sending
from mailer.outbox.running import drain
from mailer.resources import resource
from mailer.sentences import quiet
from mailer.web import create_web
from subscribers.models import Subscription
from tests.builders import a_member, some_settings
from tests.databases import everything_in

MAILS, MORE = 500, 40
FOLLOWED = 4  # links of each kind, whose pages lead on to the same kinds of pages as all others of it
METHODS = ("GET", "HEAD", "OPTIONS")
IN_HTML = re.compile(r'(?:href|src|action)="([^"]*)"')
IN_TEXT = re.compile(r"https?://[^\s<>\"]+")


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[App]:
    """The demo's installation. Its mail goes to files; nothing runs beside the test and the clock stands still."""
    places = Places(config=tmp_path / "config.toml", data=tmp_path / "data", keys=tmp_path / "keys.toml")
    shutil.copyfile(resource("config.toml"), places.config)
    keys.create(places.keys)
    settings = some_settings()
    digest = settings.digest.model_copy(update={"events_within": timedelta(days=400), "events": 1})
    outbox = settings.outbox.model_copy(update={"providers": ("catch",)})
    settings = settings.model_copy(update={"digest": digest, "database": database, "outbox": outbox})
    now = datetime.now(UTC)
    app = App(settings, places, clock=lambda: now)
    app.prepare()
    stage.import_news(app)
    stage.import_events(app)
    stage.import_members(app, quiet)
    enter_more(app)
    with app.writing() as session:
        edition = editions.draft(session, app.settings, "weekly", now)
        assert edition is not None
        editions.approve(session, edition, who="anna", now=now)
        number = edition.id or 0
    sending.send_now(app.press(), number, now)
    asyncio.run(drain(app.office()))
    yield app
    app.close()


def enter_more(app: App) -> None:
    """The demo's couples share their mails, so that its five hundred members get fewer."""
    with app.writing() as session:
        for number in range(MORE):
            member = a_member(f"more{number}@example.org")
            session.add(member)
            session.flush()
            session.add(Subscription(member_id=member.id, publication="weekly", since=app.now()))


def links_in_mails(folder: Path) -> tuple[int, set[str]]:
    """Return how many mails were caught, and every link of their texts and of List-Unsubscribe."""
    links: set[str] = set()
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name in ("new", "cur")]
    for path in files:
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        links.update(IN_TEXT.findall(str(mail["List-Unsubscribe"])))
        for part in mail.walk():
            if part.get_content_maintype() == "text":
                text = part.get_content()
                links.update(map(unescape, IN_HTML.findall(text)))
                links.update(IN_TEXT.findall(text) if part.get_content_subtype() == "plain" else ())
    return len(files), links


def ours(links: Iterable[str], base_url: str) -> set[str]:
    """Return the paths of those links that lead to us."""
    paths = set()
    for link in links:
        parts = urlsplit(urljoin(base_url + "/", link))
        if f"{parts.scheme}://{parts.netloc}" == base_url:
            paths.add(parts.path + (f"?{parts.query}" if parts.query else ""))
    return paths


async def answer_to(web: FastAPI, method: str, path: str) -> tuple[int, str]:
    """Ask as a server does, without one and without a client: for thousands of questions they take the longest."""
    where, _, query = path.partition("?")
    scope = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": ""}
    scope |= {"path": unquote(where), "raw_path": where.encode(), "query_string": query.encode(), "headers": []}
    scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await web(scope, receive, send)
    return said[0]["status"], b"".join(part.get("body", b"") for part in said[1:]).decode("utf-8", "replace")


async def ask_for(web: FastAPI, paths: Iterable[str], base_url: str) -> set[str]:
    """Ask for each with every method. Returns what the pages link to."""
    found: set[str] = set()
    for path in paths:
        answers = [await answer_to(web, method, path) for method in METHODS]
        assert all(status < 500 for status, _ in answers), path
        found |= ours(map(unescape, IN_HTML.findall(answers[0][1])), base_url)
    return found


async def ask_for_everything(web: FastAPI, in_mails: set[str], base_url: str) -> set[str]:
    """Ask for what the mails link to, and from some of it for all that can be reached. Returns what was asked for."""
    await ask_for(web, in_mails, base_url)
    reached: set[str] = set()
    onward = {path for _, same in groupby(sorted(in_mails), kind) for path in islice(same, FOLLOWED)}
    while onward:
        reached |= onward
        onward = await ask_for(web, onward, base_url) - reached
    return in_mails | reached


def kind(path: str) -> str:
    return path.split("/")[1]


def test_a_scanner_that_asks_for_every_link_of_500_mails_and_every_page_changes_nothing(app: App):
    base_url = app.settings.site.base_url
    caught, links = links_in_mails(app.data)
    assert caught >= MAILS
    to_ask = ours(links, base_url)
    assert len({path for path in to_ask if path.startswith("/u/")}) >= caught
    before = everything_in(app.engine)

    asked = asyncio.run(ask_for_everything(create_web(app), to_ask, base_url))

    assert everything_in(app.engine) == before
    assert {kind(path) for path in asked} >= {"u", "p", "v", "m", "e", "join", "static", "archive", ""}
