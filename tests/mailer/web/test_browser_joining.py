"""Joining in Debian's Chromium, also from a site that shows our form in a frame."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from mailer.jobs.joining import keep_sign_ups
from mailer.web import create_web
from tests.mailer.web.browsing import PHONE_AND_DESKTOP, Window, faults_of, open_page, serving
from tests.mailer.web.conftest import Site
from tests.mailer.web.test_joining import NEW, confirm_path, waiting


def fill_in(site: Site, page: Page | Frame) -> None:
    page.get_by_label("Din e-postadress").fill(NEW)
    page.get_by_label("Ja, Exempelpartiet").check()
    site.watch.at += timedelta(seconds=20)
    page.get_by_role("button", name="Anmäl dig").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Titta i din brevlåda")
    keep_sign_ups(site.app, site.watch.at + timedelta(minutes=2))  # unless the page has by now


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
def test_somebody_signs_up_and_confirms(site: Site, chromium: Browser, address: str, window: Window):
    page = open_page(chromium, window)

    page.goto(address + "/")
    page.get_by_role("link", name="Anmäl dig").click()
    fill_in(site, page)
    newcomer = waiting(site)[0].member_id or 0
    page.goto(address + confirm_path(site))
    page.get_by_role("button", name="Ja, skicka Veckobrevet till mig").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Välkommen")

    assert site.gets(newcomer)
    page.get_by_role("link", name="Välj stadsdelar, ämnen och språk").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dina val")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_stumbles_over_the_pages_of_joining(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
):
    page = open_page(chromium, Window(320), scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(f"{address}/join/weekly/bromma")
    assert faults_of(page) == []
    page.get_by_label("Din e-postadress").fill(NEW)
    page.get_by_label("Ja, Exempelpartiet").check()
    page.get_by_role("button", name="Anmäl dig").click()  # too quick
    assert faults_of(page) == []
    fill_in(site, page)
    assert faults_of(page) == []
    path = address + confirm_path(site)
    page.goto(path)
    assert faults_of(page) == []
    page.get_by_role("button").click()
    assert faults_of(page) == []
    page.goto(path)  # there is nothing left
    assert faults_of(page) == []
    complaints = [text for text in complaints if "410" not in text]
    assert complaints == []
    page.close()


class Elsewhere(BaseHTTPRequestHandler):
    """The party's own site, with our form in a frame."""

    form = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(f'<!doctype html><title>x</title><iframe title="f" src="{self.form}"></iframe>'.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("may", [True, False])
def test_a_site_that_config_names_shows_the_form_in_a_frame(
    site: Site, chromium: Browser, elsewhere: str, *, may: bool
):
    join = site.app.settings.join.model_copy(update={"embed_in": (elsewhere,) if may else ()})
    site.app.settings = site.app.settings.model_copy(update={"join": join})
    with serving(create_web(site.app)) as address:
        Elsewhere.form = f"{address}/join/weekly"
        page = open_page(chromium, Window(1100))
        page.goto(elsewhere)
        frame = page.frames[1]
        if may:
            fill_in(site, frame)
            assert len(waiting(site)) == 1
        else:
            assert "join" not in frame.url or frame.locator("form").count() == 0
        page.close()
