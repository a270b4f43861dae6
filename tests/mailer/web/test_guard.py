import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailer import db
from mailer.config.recruiting import Recruiting
from mailer.links import Purpose
from mailer.news.models import IMAGES
from mailer.web.guard import HEADERS, masked
from mailer.web.rendering import STATIC
from tests.builders import a_news_item
from tests.databases import nowhere
from tests.mailer.events.saying import a_shift, a_step
from tests.mailer.web.conftest import ANNA, CECILIA, Site
from tests.mailer.web.letters import FORGOTTEN, VARIANT, a_letter_was_sent, page_of, stands_in_the_archive
from tests.mailer.web.test_answering import answer_path
from tests.mailer.web.test_approving import approval_paths
from tests.mailer.web.test_calendar import hold
from tests.mailer.web.test_joining import confirm_path, sign_up

PICTURE = "0" * 64 + ".gif"
LINK = re.compile(r'(?:href|src|action)="([^"]*)"')


@pytest.fixture
def paths(site: Site) -> list[str]:
    """Every page there is, in each of its states."""
    with site.app.writing() as session:
        session.add(a_news_item(id=1))
    event = hold(site, "rally", shifts=(a_shift(),), route=(a_step(11),), contact="1maj@example.org")
    site.press(site.leave_path(CECILIA), choice="leave")
    token = site.leave_path()
    own = [path(who) for path in (site.leave_path, site.choose_path, site.own_path) for who in (ANNA, CECILIA)]
    site.press(site.own_path(CECILIA), choice="address", address="ny@example.org")
    own += [site.own_path(since=timedelta(days=1)), token.replace("/u/", "/m/") + "/link"]
    own += [site.move_path(purpose, 1, CECILIA) for purpose in (Purpose.ADDRESS_NEW, Purpose.ADDRESS_OLD)]
    own += [f"{site.own_path()}/{what}" for what in ("held", "erase")]
    sign_up(site, path="/join/weekly/bromma")
    a_letter_was_sent(site)
    stands_in_the_archive(site, "members", "bromma")
    archive = ["", "/weekly", "/weekly?district=bromma", "/nothing"]
    own += [start + rest for start in ("/archive", site.archive_path()) for rest in archive]
    own += ["/archive/weekly/2024-W10", "/archive/weekly/feed.atom"]  # behind the link they are no pages of ours
    own += ["/join/weekly", "/join/weekly/bromma", "/join/nothing", confirm_path(site)]
    site.press(answer_path(site, event, CECILIA), choice="yes", companions="1")
    own += [answer_path(site, event, who) for who in (ANNA, CECILIA)]
    own += [
        f"{answer_path(site, event)}/shifts",
        f"{site.choose_path()}/e/{event}",
        f"{site.choose_path()}/e/99",
        f"{site.choose_path()}/events",
    ]
    own += [f"/e/{event}", f"/e/{event}.ics", "/e/99", "/calendar.ics", "/calendar/bromma.ics", "/calendar/none.ics"]
    own += approval_paths(site)
    site.app.settings = site.app.settings.model_copy(update={"recruiting": Recruiting(enabled=True)})
    own += [site.app.links.act(Purpose.RECRUIT, ANNA, 0).removeprefix(site.app.links.base_url), "/progress"]
    return ["/", "/healthz", "/static/pages.css", "/n/1", "/n/2", "/i/none.png", "/nowhere", "/u/x", token + "/", *own]


@pytest.fixture
def everywhere(site: Site, paths: list[str]) -> list[str]:
    """Also what is no page of ours: letters as they were sent, feeds, pictures, and what machines ask for."""
    pictures = site.app.data / IMAGES
    pictures.mkdir(exist_ok=True)
    (pictures / PICTURE).write_bytes(b"GIF89a")
    settings = site.app.settings
    public = {"events": settings.publications["events"].model_copy(update={"archive": "public"})}
    site.app.settings = settings.model_copy(update={"publications": settings.publications | public})
    letters = [page_of(site, VARIANT), page_of(site, FORGOTTEN), f"{site.archive_path()}/weekly/2024-W10"]
    links = [link for path in paths for link in LINK.findall(site.client.get(path).text)]
    letters += [next(link for link in links if form in link) for form in ("/letter/", "/text/")]
    feeds = ["/archive/events/feed.atom", f"{site.archive_path()}/weekly/feed.atom"]
    return [*paths, *letters, *feeds, f"/i/{PICTURE}", "/metrics", "/readyz"]


def test_no_page_is_left_out_of_what_is_looked_at(site: Site, everywhere: list[str]):
    shown = [path.partition("?")[0] for path in everywhere if site.client.get(path).status_code == 200]
    shown.append("/readyz")  # which says 503 while no worker is there

    for route, methods in site.web.openapi()["paths"].items():
        if "get" in methods:
            form = re.compile(re.sub(r"\{\w+\}", r"[^/]+", route))
            assert any(form.fullmatch(path) for path in shown), route


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_nothing(site: Site, everywhere: list[str], method: str):
    """What a mail scanner does: it asks for every link of a mail, and for every link of the pages it finds there."""
    found = {link for path in everywhere for link in LINK.findall(site.client.get(path).text) if link.startswith("/")}
    before = site.dump()

    answers = {path: site.client.request(method, path) for path in (*everywhere, *sorted(found)) for _ in range(2)}

    assert {path for path, answer in answers.items() if answer.status_code >= 500} <= {"/readyz"}
    assert site.dump() == before


def test_methods_that_no_page_has_change_nothing(site: Site, paths: list[str]):
    before = site.dump()

    answers = [site.client.request(m, path) for path in paths for m in ("PUT", "PATCH", "DELETE", "TRACE", "BREW")]

    assert {answer.status_code for answer in answers} <= {404, 405}
    assert site.dump() == before


def test_options_names_what_may_be_asked(site: Site):
    answer = site.client.options(site.leave_path())

    assert answer.status_code == 204
    assert "GET" in answer.headers["allow"]


def test_every_answer_carries_the_headers_that_forbid(site: Site, paths: list[str]):
    kept = {"Cache-Control", "X-Robots-Tag", "Cross-Origin-Resource-Policy"}  # some answers may be kept or found
    for path in paths:
        answer = site.client.get(path)
        for name, value in HEADERS.items():
            assert name in answer.headers
            framing = value + "; frame-src 'self'"  # where a letter is approved it is shown in a frame
            assert name in kept or answer.headers[name] == value or (path[:3], answer.headers[name]) == ("/o/", framing)
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers


def test_a_members_page_is_kept_nowhere_and_found_by_nobody(site: Site):
    for path in (site.leave_path(), site.choose_path(), "/u/x"):
        answer = site.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"


def test_pages_ask_nothing_of_other_hosts_and_run_nothing(site: Site, paths: list[str]):
    ours = ("/", "mailto:", "webcal:", site.app.settings.site.base_url + "/j/")  # /j/ is to be copied, with its host
    for path in paths:
        page = site.client.get(path).text
        assert [link for link in LINK.findall(page) if not link.startswith(ours)] == [], path
        assert "<script" not in page
        assert " style=" not in page
        assert " on" not in "".join(re.findall(r"<[^>]*>", page)).replace(" once", "")
    assert b"url(" not in STATIC["pages.css"]
    assert b"@import" not in STATIC["pages.css"]
    assert sum(len(one) for one in STATIC.values()) < 50_000


def test_a_database_that_is_gone_is_a_503_to_come_back_from(site: Site, tmp_path: Path):
    site.app.engine.dispose()
    site.app.__dict__["engine"] = db.open_engine(nowhere(site.app.engine, tmp_path))

    for answer in (site.client.get(site.leave_path()), site.client.post(site.leave_path(), data={"nonce": "x"})):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"


def test_what_nobody_foresaw_shows_no_trace_and_logs_no_values(site: Site, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("anna@example.org")

    monkeypatch.setattr("mailer.web.leaving.find_standing", broken)
    with capture_logs() as logs:
        answer = site.client.get(site.leave_path())

    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "anna" not in str(logs) + answer.text
    assert any("leaving.py" in str(entry.get("where")) for entry in logs)


def test_the_log_holds_no_token(site: Site):
    with capture_logs() as logs:
        site.client.get(site.leave_path())
        site.press(site.choose_path(), language="sv")

    token = site.leave_path().removeprefix("/u/")
    assert token not in str(logs)
    assert site.choose_path().removeprefix("/p/") not in str(logs)
    assert [entry["path"] for entry in logs] == ["/u/…", "/p/…", "/p/…"]


@given(st.text(max_size=40))
def test_a_path_shows_in_the_log_only_when_it_is_one_of_ours(rest: str):
    assert masked(f"/u/{rest}") == "/u/…"
    assert masked(f"/x{rest}") == "other"
