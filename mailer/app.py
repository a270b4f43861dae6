"""The only wiring: settings, keys, database, clock and links, put together once per process."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlmodel import Session

from mailer import config, db, keys
from mailer.clock import Clock, system_clock
from mailer.config.outbox import ProviderTable
from mailer.digest.calendar import moment_in, period_of
from mailer.errors import Mistake
from mailer.links import Links
from mailer.news.reference import load_reference, require_known
from mailer.outbox import home
from mailer.outbox.home import Watermark
from mailer.pace import Pace
from mailer.queue import Queue, open_queue, schema
from mailer.sentences import Progress, quiet
from subscribers import listing, sealed
from subscribers.importing import run

if TYPE_CHECKING:  # only who sends loads what that takes
    from mailer.campaigns.letter import Post
    from mailer.digest.sending import Press
    from mailer.message import Message
    from mailer.outbox.compose import Composer
    from mailer.outbox.office import Office
    from mailer.providers import Outcome
    from mailer.render.letters import Letters

DATABASE = "utskick.db"
KEY_FILE = "keys.toml"
JOURNALS = "journal"
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Places:
    """Where this installation keeps its things."""

    config: Path
    data: Path | None  # None: as the config says
    keys: Path

    @classmethod
    def of(cls, config_file: Path | None, data: Path | None, environ: Mapping[str, str]) -> "Places":
        """Prefer what was said on the command line, then UTSKICK_CONFIG, UTSKICK_DATA and UTSKICK_KEYS."""
        path = config_file or Path(environ.get("UTSKICK_CONFIG") or "config.toml")
        folder = data or (Path(environ["UTSKICK_DATA"]) if environ.get("UTSKICK_DATA") else None)
        key_file = Path(environ["UTSKICK_KEYS"]) if environ.get("UTSKICK_KEYS") else path.parent / KEY_FILE
        return cls(config=path, data=folder, keys=key_file)


class App:
    """One installation, opened. The edges hold it; nothing below them does."""

    def __init__(self, settings: config.Settings, places: Places, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.places = places
        self.now = clock

    @classmethod
    def load(cls, places: Places, environ: Mapping[str, str]) -> "App":
        """raises Mistake when the config cannot be read."""
        return cls(config.load(places.config, environ), places)

    @cached_property
    def data(self) -> Path:
        """The data folder. raises Mistake when there is none yet."""
        folder = self.data_folder
        if not folder.is_dir():
            raise Mistake(
                "There is no data folder {folder}: run `utskick init`, or name it with --data.", folder=folder
            )
        return folder

    @property
    def data_folder(self) -> Path:
        """Where the data folder is, or will be."""
        return self.places.data or self.places.config.parent / self.settings.data

    @cached_property
    def engine(self) -> sa.Engine:
        """The database, checked to be of this version, with its sealed columns open."""
        engine = self.bare_engine
        db.require_current(engine)
        schema.require_current(engine)
        sealed.unlock(self.keyring.register, self.keyring.renew)
        with db.reading(engine) as session:
            listing.try_keys(session)  # with other keys every link would be a 404 and every name a riddle
            require_known(session, self.settings, self.places.config)
        home.look_round(engine, self.watermark, now=self.now())
        self._finish_imports(engine)
        return engine

    @property
    def journals(self) -> Path:
        return self.data / JOURNALS

    @property
    def watermark(self) -> Watermark:
        return Watermark.beside(self.journals)

    def has_register(self) -> bool:
        """Whether there are members already, sealed with keys that must not be replaced."""
        if not self.data_folder.is_dir() or db.revision(self.bare_engine) is None:
            return False
        with db.reading(self.bare_engine) as session:
            return listing.has_members(session)

    def _finish_imports(self, engine: sa.Engine) -> None:
        """Nobody works on a half-imported register: one that a crash interrupted is finished first."""
        with db.reading(engine) as session:
            unfinished = run.is_unfinished(session)
        if unfinished:
            run.finish(lambda: db.writing(engine), now=self.now())

    @cached_property
    def bare_engine(self) -> sa.Engine:
        """The database as it is: for commands that create or upgrade it."""
        return db.open_engine(self.settings.database or f"sqlite:///{self.data / DATABASE}")

    def prepare(self) -> None:
        """Make the data folder and the database, and load the shipped districts and topics; keeps what is there.

        raises  Mistake as `engine`, when all is made: what is wrong with the config can then be looked up and mended
        """
        self.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.upgrade()
        with db.writing(self.bare_engine) as session:
            load_reference(session)
        self.engine.connect().close()

    def upgrade(self, progress: Progress = quiet) -> None:
        """Bring the database, and the queue in it, to what this version needs."""
        db.upgrade(self.bare_engine, progress)
        schema.upgrade(self.bare_engine)

    @cached_property
    def keyring(self) -> keys.Keyring:
        return keys.load(self.places.keys)

    @cached_property
    def links(self) -> Links:
        return Links(self.settings.site.base_url, self.keyring.tokens)

    @property
    def approving(self) -> "Post":
        from mailer.campaigns.letter import Post

        return Post(self.engine, self.settings, self.links)

    def press(self) -> "Press":
        """What editions are planned with, as of now."""
        from mailer.digest.sending import Press
        from mailer.members import recruiting

        with self.reading() as session:
            newcomers = recruiting.progress(session, self.settings)
        return Press(self.engine, self.settings, self.links, newcomers)

    @cached_property
    def letters(self) -> "Letters":
        from mailer import posting

        return posting.letters()

    @cached_property
    def composer(self) -> "Composer":
        from mailer import posting

        return posting.composer_of(self)

    def office(self) -> "Office":
        """What a delivery worker works with; its providers are its own.

        raises  Mistake when config.toml names a provider that is none, or sets it or its DKIM key up wrongly
        """
        from mailer import posting

        return posting.office_of(self)

    @property
    def paces(self) -> Mapping[str, Pace]:
        """How fast each provider may be given letters, in the order in which they are tried."""
        return {name: self.provider_table(name).pace for name in self.settings.outbox.providers}

    def provider_table(self, name: str) -> ProviderTable:
        """Return what the config says of a provider, or what holds without a word of it."""
        return self.settings.providers.get(name, ProviderTable())

    def digests_about(self, moment: datetime) -> list[datetime]:
        """Return when digests go in the days about `moment`: letters about events keep out of their way."""
        zone, send = self.settings.site.zone, self.settings.digest.send
        return [moment_in(period_of(moment + away, zone), send, zone) for away in (-_A_DAY, _A_DAY)]

    async def post(self, messages: Sequence["Message"]) -> "list[Outcome]":
        """Send letters that belong to no mailing (proofs, notices), through the first provider that works.

        returns  an outcome per message, in order
        raises   ProviderDown when no provider could be reached
        """
        from mailer import posting

        return await posting.post(self, messages)

    @cached_property
    def queue(self) -> Queue:
        """Where background work is asked for: `app.queue.defer("keep_editions")`."""
        return open_queue(self.engine)

    def close(self) -> None:
        """Let go of the database; asked again, it is opened again."""
        if "queue" in self.__dict__:
            self.queue.close()
        if "bare_engine" in self.__dict__:
            self.bare_engine.dispose()

    def reading(self) -> AbstractContextManager[Session]:
        return db.reading(self.engine)

    def writing(self) -> AbstractContextManager[Session]:
        return db.writing(self.engine)
