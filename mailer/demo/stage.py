"""Sets the stage: config, keys, database, districts, news and members, all in one folder that may be thrown away."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from mailer import config, keys
from mailer.app import App, Places
from mailer.config.outbox import ProviderTable
from mailer.errors import Mistake
from mailer.events import book
from mailer.events.rows import id_of
from mailer.events.written import read_file
from mailer.news import importing, sources
from mailer.resources import resource
from mailer.sentences import Progress
from subscribers.importing import run
from subscribers.importing.target import Policy
from subscribers.models import Ground

MARK = ".utskick-demo"  # only a folder with this file in it is ever thrown away
WHO = "demo"
CALENDAR = "events"  # the publication of letters about events


@contextmanager
def cleared(folder: Path) -> Iterator[None]:
    """Make `folder` anew and hold it for this demo.

    raises  Mistake when it holds anything but an earlier demo, or one that is running
    """
    if folder.exists() and not (folder / MARK).exists():
        if not folder.is_dir() or any(folder.iterdir()):
            raise Mistake("{folder} holds something else: name another folder with --data.", folder=folder)
    elif folder.exists():
        with _held(folder):
            shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(folder):
        yield


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with (folder / MARK).open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake(
                "A demo is running in {folder} already: stop it, or name another folder with --data.", folder=folder
            ) from None
        yield


def build(folder: Path, *, base_url: str, smtp_port: int) -> App:
    """Return a fresh installation in `folder` that mails to the catcher at `smtp_port`."""
    places = Places(config=folder / "config.toml", data=folder / "data", keys=folder / "keys.toml")
    shutil.copyfile(resource("config.toml"), places.config)
    keys.create(places.keys)
    app = App(_settings(places.config, base_url=base_url, smtp_port=smtp_port), places)
    app.prepare()
    return app


def _settings(path: Path, *, base_url: str, smtp_port: int) -> config.Settings:
    smtp = ProviderTable.model_validate({"host": "127.0.0.1", "port": smtp_port, "security": "none", "connections": 4})
    settings = config.load(path, {})
    site = settings.site.model_copy(update={"base_url": base_url})
    changes = {"site": site, "providers": {"smtp": smtp}} | _with_calendar(settings)
    return settings.model_copy(update=changes)


def _with_calendar(settings: config.Settings) -> dict[str, object]:
    """Let letters about events go, to all members; and let the digest look ahead to May Day, whenever it is."""
    calendar = {
        "name": {"sv": "Kalendern", "en": "The calendar"},
        "from_address": "kalender@nyhet.example.org",
        "list_id": "kalender.nyhet.example.org",
    }
    publications = settings.publications | {CALENDAR: settings.publications["weekly"].model_copy(update=calendar)}
    to_all = (*settings.members.publications, CALENDAR)
    return {
        "publications": publications,
        "members": settings.members.model_copy(update={"publications": to_all}),
        "events": settings.events.model_copy(update={"publication": CALENDAR}),
        "digest": settings.digest.model_copy(update={"events_within": timedelta(days=400), "events": 3}),
    }


def import_news(app: App) -> int:
    """Import the sample news as of now; return how many items there are."""
    order = importing.Order(str(resource("examples") / "nyheter.txt"), "nyheter")
    with sources.open_tools(app.settings, app.data) as tools:
        return importing.bring_in(order, app.settings, tools, app.writing, now=app.now()).added


def import_events(app: App) -> int:
    """Import the sample events, of the next May Day; return the number of the rally that members are reminded of."""
    today = app.now().astimezone(app.settings.site.zone).date()
    year = today.year if today < date(today.year, 5, 1) else today.year + 1
    content = (resource("examples") / "evenemang.toml").read_text(encoding="utf-8").replace("2027", str(year))
    events, _faults = read_file(content.encode(), app.settings.site.time_zone)
    with app.writing() as session:
        book.bring_in(session, "evenemang", events, host="example.org", now=app.now())
        return id_of(book.find_event(session, f"forsta-maj-{year}"))


def import_members(app: App, progress: Progress) -> int:
    """Import the invented members; return how many there are."""
    file = resource("examples") / "medlemmar.csv"
    policy = Policy(
        publications=app.settings.members.publications,
        ground=Ground(app.settings.members.ground),
        language=app.settings.site.language,
    )
    with app.reading() as session:
        sample = run.MemberFile(data=file.read_bytes(), name=file.name, sheet=None, said={})
        prepared = run.prepare(session, sample, policy, progress)
    run.carry_out(app.writing, prepared, who=WHO, now=app.now(), progress=progress)
    return len(prepared.plan.added)
