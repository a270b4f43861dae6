"""What a mail scanner does to the demo's edition: it asks for every link of 500 mails and every page behind them."""

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from fastapi import FastAPI

from mailer import keys
from mailer.app import App, Places
from mailer.demo import stage
from mailer.digest import editions, sending
from mailer.outbox.worker import drain
from mailer.resources import resource
from mailer.sentences import quiet
from mailer.web import create_web
from tests.builders import some_settings
from tests.databases import everything_in

MAILS = 500
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
    settings = settings.model_copy(
        update={"database": database, "outbox": settings.outbox.model_copy(update={"providers": ("catch",)})}
    )
    now = datetime.now(UTC)
    app = App(settings, places, clock=lambda: now)
    app.prepare()
    stage.import_news(app)
    stage.import_members(app, quiet)
    with app.writing() as session:
        edition = editions.draft(session, app.settings, "weekly", now)
        assert edition is not None
        editions.approve(session, edition, who="anna", now=now)
        number = edition.id or 0
    sending.send_now(app.press(), number, now)
    asyncio.run(drain(app.office()))
    yield app
    app.close()


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


async def ask_for_everything(web: FastAPI, to_ask: set[str], base_url: str) -> set[str]:
    """Ask for all paths and what their pages link to, with every method. Returns what was asked for."""
    asked: set[str] = set()
    while to_ask:
        path = to_ask.pop()
        asked.add(path)
        answers = [await answer_to(web, method, path) for method in METHODS]
        assert all(status < 500 for status, _ in answers), path
        to_ask |= ours(map(unescape, IN_HTML.findall(answers[0][1])), base_url) - asked
    return asked


def test_a_scanner_that_asks_for_every_link_of_500_mails_and_every_page_changes_nothing(app: App):
    base_url = app.settings.site.base_url
    caught, links = links_in_mails(app.data)
    assert caught > MAILS * 0.9
    to_ask = ours(links, base_url)
    assert len({path for path in to_ask if path.startswith("/u/")}) >= caught
    before = everything_in(app.engine)

    asked = asyncio.run(ask_for_everything(create_web(app), to_ask, base_url))

    assert everything_in(app.engine) == before
    assert {path.split("/")[1] for path in asked} >= {"u", "p", "v", "static", "archive", ""}
