"""The letters of examples/ as their readers see them, for `make pictures`."""

from pathlib import Path

from mailer import keys
from mailer.app import KEY_FILE, App, Places
from mailer.campaigns import looking
from mailer.campaigns.letter import Desk
from mailer.events import book
from mailer.events.written import read_file
from mailer.resources import resource

LETTERS = {"letter": "tack", "call": "kallelse", "campaign": "sommarvarvning"}
_CALLS = """
[publications.calls]
name = { sv = "Kallelser", en = "Calls to meetings" }
from_name = "Exempelpartiet i Stockholm"
from_address = "kallelse@nyhet.example.org"
reply_to = "kontakt@nyhet.example.org"
list_id = "kallelse.nyhet.example.org"
stream = "statutory"
"""


def pages(folder: Path) -> dict[str, str]:
    """Return the HTML of an example of each kind, in Swedish. `folder`: where an installation can be made"""
    folder.mkdir()
    config = folder / "config.toml"
    config.write_text(resource("config.toml").read_text("utf-8") + _CALLS, "utf-8")
    keys.create(folder / KEY_FILE)
    app = App.load(Places.of(config, None, {}), {})
    app.prepare()
    events, _faults = read_file(resource("examples/evenemang.toml").read_bytes(), app.settings.site.time_zone)
    with app.writing() as session:
        book.bring_in(session, "examples", events, host="example.org", now=app.now())
        desk = Desk(session, app.settings, app.links, app.now())
        found = {kind: _page(app, desk, name) for kind, name in LETTERS.items()}
    app.close()
    return found


def _page(app: App, desk: Desk, name: str) -> str:
    text = resource(f"examples/{name}.md").read_text("utf-8")
    standing = desk.read([(f"{name}.md", text)], {})
    return next(looking.show(app.letters, standing, app.settings, app.links, "sv", app.now())).html
