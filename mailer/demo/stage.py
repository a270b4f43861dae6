"""Sets the stage: config, keys, database, districts, news and members, all in one folder that may be thrown away."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailer import config, keys
from mailer.app import App, Places
from mailer.config.outbox import ProviderTable
from mailer.errors import Mistake
from mailer.news import importing, sources
from mailer.resources import resource
from mailer.sentences import Progress
from subscribers.importing import run
from subscribers.importing.target import Policy
from subscribers.models import Ground

MARK = ".utskick-demo"  # only a folder with this file in it is ever thrown away
WHO = "demo"


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
    return settings.model_copy(update={"site": site, "providers": {"smtp": smtp}})


def import_news(app: App) -> int:
    """Import the sample news as of now; return how many items there are."""
    order = importing.Order(str(resource("examples") / "nyheter.txt"), "nyheter")
    with sources.open_tools(app.settings, app.data) as tools:
        return importing.bring_in(order, app.settings, tools, app.writing, now=app.now()).added


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
