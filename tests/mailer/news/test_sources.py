from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import config, db
from mailer.config.news import Source
from mailer.config.publications import Publication
from mailer.config.site import Site
from mailer.errors import Mistake
from mailer.news import listing, sources
from mailer.news.fetching import Web
from mailer.news.models import NewsItem, SourceState
from mailer.news.sources import MOST_PICTURES
from tests.mailer.news.test_images import a_picture

RSS = """<rss version="2.0"><channel><title>t</title><item><guid isPermaLink="false">{guid}</guid><title>{title}</title>
<description>Text.</description><enclosure url="https://img.example/b.jpg" type="image/jpeg"/></item></channel></rss>"""


class Internet:
    """Answers by host; a host it does not know is down. Counts what was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, httpx.Response] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        page = self.pages.get(request.headers["Host"])
        if page is None:
            raise httpx.ConnectError("nobody there")
        if page.headers.get("ETag") and request.headers.get("If-None-Match") == page.headers["ETag"]:
            return httpx.Response(304)
        return httpx.Response(page.status_code, headers=page.headers, stream=httpx.ByteStream(page.content))

    def hosts(self) -> list[str]:
        return [request.headers["Host"] for request in self.asked]


@pytest.fixture
def internet() -> Internet:
    return Internet()


@pytest.fixture
def tools(internet: Internet, tmp_path: Path) -> Iterator[sources.Tools]:
    web = Web(resolve=lambda *_: ["93.184.216.34"], inner=httpx.MockTransport(internet))
    yield sources.Tools(web, tmp_path, ZoneInfo("Europe/Stockholm"))
    web.close()


def settings(**named: Source) -> config.Settings:
    publication = Publication(name={}, from_name="", from_address="", reply_to="", list_id="")
    return config.Settings(
        site=Site(organisation="", postal_address="", contact="", base_url="https://example.org"),
        publications={"weekly": publication},
        sources=named,
    )


SETTINGS = settings(
    good=Source(url="https://good.example/feed", districts=("bromma",)),
    bad=Source(url="https://bad.example/feed"),
)


def writing(engine: sa.Engine) -> sources.Transaction:
    def begin() -> AbstractContextManager[Session]:
        return db.writing(engine)

    return begin


def fetch(engine: sa.Engine, tools: sources.Tools, now: datetime, *names: str) -> dict[str, sources.Report]:
    reports = sources.fetch(names or ("bad", "good"), SETTINGS, tools, writing(engine), now=now)
    return {report.source: report for report in reports}


def state(engine: sa.Engine, name: str) -> SourceState:
    with db.reading(engine) as session:
        return session.exec(select(SourceState).where(SourceState.source == name)).one()


def serve(internet: Internet, host: str, content: str, **headers: str) -> None:
    internet.pages[host] = httpx.Response(200, headers=headers, content=content.encode())


def test_a_broken_source_is_named_and_the_others_go_on(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"))

    reports = fetch(engine, tools, now)

    assert reports["good"].stored is not None
    assert reports["good"].stored.added == 1
    assert "https://bad.example/feed cannot be fetched" in str(reports["bad"].error)
    assert state(engine, "bad").broken_since == now
    assert state(engine, "good").broken_since is None


def test_broken_since_is_the_first_failure_and_ends_with_the_first_success(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    fetch(engine, tools, now, "bad")
    fetch(engine, tools, now + timedelta(days=2), "bad")
    assert state(engine, "bad").broken_since == now

    serve(internet, "bad.example", RSS.format(guid="1", title="Ny bro"))
    fetch(engine, tools, now + timedelta(days=3), "bad")

    assert (state(engine, "bad").broken_since, state(engine, "bad").error) == (None, None)


def test_an_unchanged_source_is_asked_conditionally_and_its_pictures_not_at_all(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"), ETag='"v1"')
    fetch(engine, tools, now, "good")
    internet.asked.clear()

    report = fetch(engine, tools, now, "good")["good"]

    assert (report.stored, report.error) == (None, None)
    assert internet.hosts() == ["good.example"]
    assert internet.asked[0].headers["If-None-Match"] == '"v1"'


def test_after_an_answer_nobody_could_read_the_source_is_asked_in_full(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"), ETag='"v1"')
    fetch(engine, tools, now, "good")
    serve(internet, "good.example", "<html>Under ombyggnad</html>", ETag='"v2"')
    fetch(engine, tools, now, "good")
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro klar"), ETag='"v1"')

    report = fetch(engine, tools, now, "good")["good"]

    assert report.stored is not None
    assert report.stored.changed == 1


def test_a_picture_is_copied_and_one_that_cannot_be_had_costs_nothing_else(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime, tmp_path: Path
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"))
    serve(internet, "bad.example", RSS.format(guid="1", title="Ny väg"))
    fetch(engine, tools, now, "bad")
    internet.pages["img.example"] = httpx.Response(200, content=a_picture())
    fetch(engine, tools, now, "good")

    with db.reading(engine) as session:
        with_picture, without = (
            session.exec(select(NewsItem).where(NewsItem.source == name)).one() for name in ("good", "bad")
        )

    assert without.image is None
    assert (with_picture.image_width, with_picture.image_height) == (600, 300)
    assert (tmp_path / "images" / str(with_picture.image)).is_file()


def test_the_tags_of_a_source_are_on_all_it_says(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"))
    fetch(engine, tools, now, "good")

    with db.reading(engine) as session:
        (entry,) = listing.list_news(session, now=now)

    assert entry.reasons == {"bromma": "source good"}


def test_a_source_is_due_when_its_time_has_passed_and_two_clocks_do_not_both_ask(session: Session, now: datetime):
    def due(minutes: int) -> list[str]:
        return sources.due(session, SETTINGS, now + timedelta(minutes=minutes))

    assert due(0) == ["good", "bad"]
    assert sources.claim(session, SETTINGS, "good", now)
    assert not sources.claim(session, SETTINGS, "good", now)
    assert not sources.claim(session, SETTINGS, "gone", now)
    assert due(0) == ["bad"]
    assert due(14) == ["bad"]
    assert due(15) == ["good", "bad"]


def test_a_source_that_the_config_does_not_have_is_a_mistake(engine: sa.Engine, tools: sources.Tools, now: datetime):
    with pytest.raises(Mistake, match="no source nix"):
        fetch(engine, tools, now, "nix")


def test_sources_are_listed_with_how_they_are_doing(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"))
    fetch(engine, tools, now, "good")

    with db.reading(engine) as session:
        session.add(SourceState(source="nyheter", fetched_at=now, items=42))
        entries = {entry.source: entry for entry in listing.list_sources(session, SETTINGS.sources)}

    assert list(entries) == ["good", "bad", "nyheter"]
    assert (entries["good"].state, entries["good"].items) == ("fine", 1)
    assert (entries["bad"].state, entries["bad"].fetched_at) == ("new", None)
    assert (entries["nyheter"].kind, entries["nyheter"].items) == ("import", 42)


BREAKING = ["&#xd800;", "&#99999999999999999999;"]  # half of a surrogate pair, and a number that no character has


@pytest.mark.parametrize("text", BREAKING)
def test_a_source_that_breaks_the_parser_stops_no_other(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime, text: str
):
    serve(internet, "bad.example", f"<rss><channel><item><title>{text} & <</title></item>")
    serve(internet, "good.example", RSS.format(guid="1", title="Ny bro"))

    reports = fetch(engine, tools, now)

    assert reports["good"].stored is not None
    assert "breaks our reader" in str(reports["bad"].error)


def test_an_id_that_no_column_takes_is_cleaned(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    serve(internet, "good.example", '{"items": [{"title": "Ny bro", "id": "\\ud800\\u0000\\u001b1"}]}')

    fetch(engine, tools, now, "good")

    with db.reading(engine) as session:
        assert session.exec(select(NewsItem.guid)).one() == "1"


def test_a_source_full_of_pictures_does_not_hold_up_the_others(
    engine: sa.Engine, internet: Internet, tools: sources.Tools, now: datetime
):
    items = ",".join(
        f'{{"title": "Bro {number}", "image": "https://img.example/{number}"}}' for number in range(MOST_PICTURES + 20)
    )
    serve(internet, "good.example", f'{{"items": [{items}]}}')

    report = fetch(engine, tools, now, "good")["good"]

    assert internet.hosts().count("img.example") == MOST_PICTURES
    assert report.stored is not None
    assert report.stored.added == MOST_PICTURES + 20


def test_the_password_of_a_source_is_not_listed(engine: sa.Engine):
    with db.reading(engine) as session:
        entries = listing.list_sources(session, {"good": Source(url="https://me:secret@good.example/feed")})

    assert [entry.url for entry in entries] == ["https://good.example/feed"]
