"""The digest's small city, with campaigns in it."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import config, db
from mailer.campaigns import approving, book, listing
from mailer.campaigns.approving import Proposal
from mailer.campaigns.letter import Post
from mailer.campaigns.models import Campaign, CampaignRecord
from mailer.campaigns.states import CampaignState
from mailer.config import Settings
from mailer.config.publications import Publication
from mailer.events import book as events
from mailer.outbox.compose import Composer
from mailer.outbox.models import Mailing
from mailer.outbox.office import Office
from mailer.posting import LETTERS as KINDS
from mailer.resources import resource
from subscribers.models import Member
from tests.builders import MOMENT
from tests.fakes import FakeProvider
from tests.mailer.campaigns.letters import a_file
from tests.mailer.digest.conftest import LINKS, City
from tests.mailer.outbox.posting import an_office
from tests.mailer.render.samples import the_letters


def the_settings() -> Settings:
    """The sample config with a publication for calls."""
    settings = config.load(resource("config.toml"), {})
    calls = Publication(
        name={"sv": "Kallelser", "en": "Calls"},
        from_name="Exempelpartiet",
        from_address="kallelse@example.org",
        reply_to="svar@example.org",
        list_id="kallelse.example.org",
        stream="statutory",
    )
    return settings.model_copy(update={"publications": settings.publications | {"calls": calls}})


class Town(City):
    """A city that writes campaigns. Every step is a transaction of its own, as in the program."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, the_settings())
        self.post = Post(engine, self.settings, LINKS)

    def enable_recruiting(self) -> None:
        recruiting = self.settings.recruiting.model_copy(update={"enabled": True})
        self.settings = self.settings.model_copy(update={"recruiting": recruiting})
        self.post = Post(self.engine, self.settings, LINKS)

    def write(self, name: str = "sommar", text: str | None = None, *, now: datetime = MOMENT) -> None:
        with db.writing(self.engine) as session:
            book.bring_in(self.post.desk(session, now), name, [("brev.md", text or a_file())], {}, who="anna")

    def look(self, name: str = "sommar", *, now: datetime = MOMENT) -> Proposal:
        with db.reading(self.engine) as session:
            return approving.propose(self.post.desk(session, now), book.find(session, name))

    def approve(self, name: str = "sommar", *, not_before: datetime | None = None, now: datetime = MOMENT) -> Proposal:
        seen = self.look(name, now=now).standing.digest
        return approving.approve(self.post, name, who="bo", seen=seen, not_before=not_before, now=now)

    def schedule(self, at: datetime, name: str = "sommar", *, now: datetime = MOMENT) -> None:
        with db.writing(self.engine) as session:
            book.schedule(session, book.find(session, name), at, self.settings, now)

    def state(self, name: str = "sommar") -> CampaignState:
        with db.reading(self.engine) as session:
            return listing.row_of(session, book.find(session, name)).state

    def campaign(self, name: str = "sommar") -> Campaign:
        with db.reading(self.engine) as session:
            found = book.find(session, name)
            session.expunge_all()
            return found

    def mailing_of(self, name: str = "sommar") -> Mailing:
        with db.reading(self.engine) as session:
            found = book.mailing_of(session, book.find(session, name))
            session.expunge_all()
            return found

    def record(self, name: str = "sommar") -> CampaignRecord:
        with db.reading(self.engine) as session:
            found = listing.record_of(session, book.find(session, name))
            session.expunge_all()
            assert found is not None
            return found

    def change_member(self, number: int, **values: object) -> None:
        with db.writing(self.engine) as session:
            session.execute(sa.update(Member).where(Member.id == number).values(**values))  # type: ignore[arg-type]  # SQLModel's column

    def event(self, **said: str) -> int:
        table = {"title": "Första maj", "starts": "2024-05-01 13:00", "ends": "2024-05-01 16:00"} | said
        with db.writing(self.engine) as session:
            return events.add(session, table, zone="Europe/Stockholm", host="example.org", now=MOMENT).id or 0

    def change_event(self, number: int, **said: str) -> None:
        with db.writing(self.engine) as session:
            events.edit(session, events.find_event(session, str(number)), said, now=MOMENT)

    def office(self, folder: Path, provider: FakeProvider, now: datetime = MOMENT + timedelta(hours=1)) -> Office:
        office = an_office(self.engine, folder / "journal", provider, now=lambda: now, settings=self.settings)
        composer = Composer(the_letters(), settings=self.settings, links=LINKS, kinds=KINDS)
        return replace(office, composer=composer)


@pytest.fixture
def town(engine: sa.Engine) -> Town:
    return Town(engine)
