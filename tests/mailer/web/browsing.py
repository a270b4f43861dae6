"""Debian's Chromium: how it is started, what a page is shown in, and what a person would stumble over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from mailer.web import listen, server_of
from tests.waiting import PATIENCE

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

# What a thumb or an eye would stumble over; runs in the page.
STUMBLES = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > window.innerWidth) found.push("wider than the window");
  const pressed = "a, button, label.box, summary, input:not([type=hidden], [type=checkbox], [type=radio])";
  for (const one of document.querySelectorAll(pressed)) {
    const box = one.getBoundingClientRect();
    if (box.height && box.height < 43.9) found.push(`${one.outerHTML.slice(0, 80)} is ${box.height} px high`);
  }
  for (const one of document.querySelectorAll("input:not([type=hidden])"))
    if (!one.labels.length) found.push(`${one.outerHTML} has no label`);
  const levels = [...document.querySelectorAll("h1, h2, h3")].map(h => +h.tagName[1]);
  if (levels[0] !== 1 || levels.some((level, i) => i && level > levels[i - 1] + 1)) found.push("headings jump");
  return found;
}"""


@dataclass(frozen=True)
class Window:
    width: int
    scripts: bool = True


PHONE_AND_DESKTOP = [Window(width, scripts) for width in (320, 1100) for scripts in (False, True)]


@contextmanager
def serving(web: FastAPI) -> Iterator[str]:
    """Serve on a free port and yield the address."""
    listener = listen("127.0.0.1", 0)
    server = server_of(web)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def open_page(chromium: Browser, window: Window, scheme: Literal["light", "dark"] = "light") -> Page:
    page = chromium.new_page(
        viewport={"width": window.width, "height": 700},
        java_script_enabled=window.scripts,
        color_scheme=scheme,
        locale="sv-SE",
    )
    page.set_default_timeout(1000 * PATIENCE)
    return page


def axe_finds(page: Page) -> list[str]:
    """Return what axe objects to, each with the first place of it. Without `bypass_csp` it says so on the console.

    It is a script: in a window without scripts it would never end, and what it looks at is the same there.
    """
    violations = Axe().run(page).response["violations"]
    return [f"{violation['id']}: {violation['nodes'][0]['html']}" for violation in violations]


def faults_of(page: Page) -> list[str]:
    """Return what a person would stumble over, and what axe finds."""
    return axe_finds(page) + list(page.evaluate(STUMBLES))
