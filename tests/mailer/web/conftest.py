"""A whole installation in a folder of its own, two members who share a mail, and a client that follows nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from playwright.sync_api import Browser, expect, sync_playwright
from sqlmodel import select

from mailer import db, keys
from mailer.app import App, Places
from mailer.config import Settings
from mailer.links import Purpose, hour_of
from mailer.outbox.models import Delivery, Mailing, Stream
from mailer.web import create_web
from mailer.web.limits import Act, Limits
from subscribers.models import District, DistrictKind, Subscription, Topic
from tests.builders import MOMENT, a_member, some_settings
from tests.databases import everything_in
from tests.mailer.web.browsing import QUIET, serving
from tests.waiting import PATIENCE

ANNA, BO, CECILIA = 1, 2, 3  # Anna and Bo share one mail; Cecilia has her own
LETTER = 1

DISTRICTS = {
    "stockholms-lan": ("Stockholms län", DistrictKind.COUNTY, None),
    "stockholm": ("Stockholm", DistrictKind.MUNICIPALITY, "stockholms-lan"),
    "solna": ("Solna", DistrictKind.MUNICIPALITY, "stockholms-lan"),
    "osteraker": ("Österåker", DistrictKind.MUNICIPALITY, "stockholms-lan"),
    "bromma": ("Bromma", DistrictKind.CITY_DISTRICT, "stockholm"),
    "jarva": ("Järva", DistrictKind.CITY_DISTRICT, "stockholm"),
    "alvsjo": ("Älvsjö", DistrictKind.CITY_DISTRICT, "stockholm"),
}
TOPICS = {"skola": ("Skola", "Schools"), "klimat": ("Klimat", "Climate")}


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at: datetime = MOMENT

    def __call__(self) -> datetime:
        return self.at


class NoLimits(Limits):
    def wait(self, act: Act, network: str, *, now: float) -> int:
        del act, network, now
        return 0


@dataclass
class Site:
    app: App
    web: FastAPI
    client: TestClient
    watch: Watch

    def leave_path(self, member: int = ANNA, mailing: int = LETTER) -> str:
        return f"/u/{self.app.links.tokens.make(Purpose.UNSUBSCRIBE, member, mailing)}"

    def choose_path(self, member: int = ANNA, mailing: int = LETTER) -> str:
        return f"/p/{self.app.links.tokens.make(Purpose.PREFERENCES, member, mailing)}"

    def own_path(self, member: int = ANNA, since: timedelta = timedelta(0)) -> str:
        """The link to stored data, asked for `since` ago."""
        return f"/m/{self.app.links.tokens.make(Purpose.OWN, member, hour_of(self.watch() - since))}"

    def archive_path(self, member: int = ANNA, since: timedelta = timedelta(0)) -> str:
        """The link to the archive for members, asked for `since` ago."""
        return f"/l/{self.app.links.tokens.make(Purpose.ARCHIVE, member, hour_of(self.watch() - since))}"

    def move_path(self, purpose: Purpose, number: int, member: int = ANNA) -> str:
        letter = "a" if purpose is Purpose.ADDRESS_NEW else "b"
        return f"/{letter}/{self.app.links.tokens.make(purpose, member, number)}"

    def letters(self) -> list[Mailing]:
        """Return the letters to one that were posted."""
        with self.app.reading() as session:
            found = list(session.exec(select(Mailing).where(Mailing.stream == Stream.ASKED)))
            session.expunge_all()
            return found

    def press(self, path: str, **fields: str | list[str]) -> Response:
        """Open a page, take the nonce from its form, and send the form with `fields`."""
        nonce = self.client.get(path).text.partition('name="nonce" value="')[2].partition('"')[0]
        return self.client.post(path, data={"nonce": nonce, **fields})

    def gets(self, member: int, publication: str = "weekly") -> bool:
        with self.app.reading() as session:
            row = session.get(Subscription, (member, publication))
            return row is not None and row.ended_at is None

    def lift_limits(self) -> None:
        """Let anyone ask as often as they like."""
        self.web.state.house = replace(self.web.state.house, limits=NoLimits())

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table."""
        return everything_in(self.app.engine)


def with_more_publications(settings: Settings) -> Settings:
    """Return `settings` with a calendar, which holds events alone, and calls, which are statutory.

    None of them is for letters about events: what these tests are about goes to one reader alone.
    """
    weekly = settings.publications["weekly"]
    calendar = {"name": {"sv": "Kalendern", "en": "The calendar"}, "events_only": True}
    calls = {"name": {"sv": "Kallelser", "en": "Calls"}, "stream": "statutory"}
    more = {"events": weekly.model_copy(update=calendar), "calls": weekly.model_copy(update=calls)}
    events = settings.events.model_copy(update={"publication": ""})
    return settings.model_copy(update={"publications": {**settings.publications, **more}, "events": events})


@pytest.fixture
def site(database: str, tmp_path: Path) -> Iterator[Site]:
    keys.create(tmp_path / "keys.toml")
    watch = Watch()
    settings = with_more_publications(some_settings()).model_copy(update={"database": database})
    places = Places(config=tmp_path / "config.toml", data=tmp_path, keys=tmp_path / "keys.toml")
    app = App(settings, places, watch)
    furnish(app)
    web = create_web(app)
    with TestClient(web, follow_redirects=False) as client:
        yield Site(app, web, client, watch)
    app.engine.dispose()


def furnish(app: App) -> None:
    with db.writing(app.bare_engine) as session:  # an app does not open without what its config names
        numbers: dict[str, int] = {}
        for number, (slug, (name, kind, parent)) in enumerate(DISTRICTS.items(), 1):
            numbers[slug] = number
            parent_id = numbers[parent] if parent else None
            session.add(District(id=number, slug=slug, name=name, kind=kind, parent_id=parent_id))
            session.flush()
        session.add_all(Topic(slug=slug, name=sv, name_en=en) for slug, (sv, en) in TOPICS.items())
    with app.writing() as session:
        for person in (  # the database numbers them, so that it goes on counting from there
            a_member("paret@example.org"),
            a_member("paret@example.org", given_name="Bo"),
            a_member("cecilia@example.org", given_name="Cecilia", language="en"),
        ):
            session.add(person)
            session.flush()
        session.add_all(Subscription(member_id=who, publication="weekly", since=MOMENT) for who in (ANNA, BO, CECILIA))
        session.add(Mailing(key="weekly:2024-W10", publication="weekly", letter="digest", created_at=MOMENT))
        session.flush()
        session.add_all(
            Delivery(mailing_id=LETTER, plan=1, member_id=who, household=household, variant_id=1)
            for who, household in ((ANNA, ANNA), (BO, ANNA), (CECILIA, None))
        )
        if app.engine.dialect.name == "postgresql":  # its counters know nothing of ids that were given
            for table in ("member", "mailing"):
                session.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100)"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET, timeout=1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with serving(site.web) as address:
        yield address
