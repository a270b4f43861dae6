"""Makes the pictures of the documentation: sample letters, as their readers see them. `make pictures`.

Needs Debian's Chromium. Sends nothing anywhere but to a catcher on this machine.
"""

import re
import subprocess
import sys
import tempfile
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import product
from pathlib import Path

from pictures_of_campaigns import pages as pages_of_campaigns
from pictures_of_events import pages as pages_of_events
from pictures_of_single import pages as pages_of_single
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
VIEWS = {  # name: (width, height, colour scheme)
    "phone-light": (390, 844, "light"),
    "phone-dark": (390, 844, "dark"),
    "desktop-light": (900, 1100, "light"),
    "desktop-dark": (900, 1100, "dark"),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        subprocess.run([sys.executable, "-m", "mailer.cli", "demo", "--once", "--data", demo], check=True)
        pages = {"digest": html_of(demo / "caught" / "new")} | pages_of_events() | pages_of_single()
        pages |= pages_of_campaigns(Path(folder) / "campaigns")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for (letter, page), (view, (width, height, scheme)) in product(pages.items(), VIEWS.items()):
            picture(browser, page, FOLDER / f"{letter}-{view}.png", width=width, height=height, scheme=scheme)
        browser.close()


def html_of(maildir: Path) -> str:
    """Return the HTML of the Swedish mail to one reader that has the most sections: it shows most."""
    mails: list[EmailMessage] = [message_from_bytes(path.read_bytes(), policy=default) for path in maildir.iterdir()]
    bodies = [mail.get_body(("html",)) for mail in mails if mail["Content-Language"] == "sv"]
    pages = [body.get_content() for body in bodies if body is not None]
    to_one = [page for page in pages if len(set(re.findall(r"/u/[\w-]{23}", page))) == 1]
    return max(to_one, key=lambda page: (page.count("<h2"), page))


def picture(browser: Browser, page: str, path: Path, *, width: int, height: int, scheme: str) -> None:
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab.set_content(page)
    tab.screenshot(path=path)
    tab.close()
    with Image.open(path) as shot:  # a quarter of the size, and nobody sees it
        shot.convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
