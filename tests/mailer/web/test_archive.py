"""The archive: for anybody or for members, by a link that is mailed to whoever gets our letters."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import feedparser
import pytest
from httpx2 import Response

from mailer.links import Purpose
from mailer.members import retention
from mailer.outbox.models import Mailing, MailingState
from mailer.web.limits import Act
from subscribers import consent, enrolment
from tests.mailer.web.conftest import ANNA, CECILIA, LETTER, Site
from tests.mailer.web.letters import FORGOTTEN, a_letter_was_sent, page_of, stands_in_the_archive

TITLE = "Ny cykelbana &lt;b&gt;"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def public(site: Site) -> Site:
    a_letter_was_sent(site)
    stands_in_the_archive(site, "public", "bromma")
    return site


@pytest.fixture
def closed(site: Site) -> Site:
    a_letter_was_sent(site)
    stands_in_the_archive(site, "members", "bromma")
    return site


def ask(site: Site, address: str, **fields: str) -> Response:
    page = site.client.get("/archive/weekly").text
    nonce = page.partition('name="nonce" value="')[2].partition('"')[0]
    site.watch.at += timedelta(seconds=20)
    return site.client.post("/archive/weekly", data={"nonce": nonce, "address": address, **fields})


@pytest.mark.parametrize("district", ["", "?district=bromma"])
def test_what_is_public_is_read_and_found_by_anybody(public: Site, district: str):
    for path in ("/archive", f"/archive/weekly{district}", f"/archive/weekly/2024-W10{district}"):
        answer = public.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-robots-tag"] == "all"
        assert not any(own in answer.text for own in ("/u/", "/p/", "/l/", "Anna"))
    assert TITLE in public.client.get(f"/archive/weekly{district}").text
    letter = public.client.get(f"/archive/weekly/2024-W10{district}").text
    assert "Den byggs i år." in letter
    assert f'href="http://127.0.0.1:8080/archive/weekly{district}"' in letter


def test_a_district_without_letters_and_none_at_all(public: Site):
    assert "Inget har skickats än" in public.client.get("/archive/weekly?district=jarva").text
    for path in ("/archive/weekly?district=nowhere", "/archive/weekly/2024-W11", "/archive/events", "/archive/calls"):
        assert public.client.get(path).status_code == 404


def test_the_feed_is_atom_and_tells_what_stands_there(public: Site):
    answer = public.client.get("/archive/weekly/feed.atom?district=bromma")

    assert answer.headers["content-type"] == "application/atom+xml"
    found = feedparser.parse(answer.content)
    assert not found.bozo
    assert found.version == "atom10"
    assert found.feed.title == "Veckobrevet: Bromma"
    assert [(one.title, one.link) for one in found.entries] == [
        ("Ny cykelbana <b>", "http://127.0.0.1:8080/archive/weekly/2024-W10?district=bromma")
    ]
    root = ET.fromstring(answer.content)  # noqa: S314  our own
    for one in (root, *root.findall(f"{ATOM}entry")):  # RFC 4287 §4.1.1, §4.1.2
        assert all(len(one.findall(ATOM + name)) == 1 for name in ("id", "title", "updated"))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    assert found.entries[0].id == "tag:veckobrev.nyhet.example.org,2020:weekly/bromma/sv/2024-W10"
    for known in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}'):  # a proxy that compresses makes it weak
        again = public.client.get("/archive/weekly/feed.atom?district=bromma", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")


def test_an_empty_feed_is_one_too(public: Site):
    found = feedparser.parse(public.client.get("/archive/weekly/feed.atom?district=jarva&language=en").content)

    assert not found.bozo
    assert (found.feed.title, found.entries) == ("The weekly letter: Järva", [])


def test_what_is_for_members_is_shown_and_found_only_behind_their_link(closed: Site):
    for path in ("/archive/weekly", "/archive/weekly?district=bromma", "/archive/weekly/2024-W10"):
        answer = closed.client.get(path)
        assert "Skicka länken till mig" in answer.text
        assert "cykelbana" not in answer.text
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert closed.client.get("/archive/weekly/feed.atom").status_code == 404
    room = closed.archive_path()
    for path in ("", "/weekly?district=bromma", "/weekly/2024-W10?district=bromma", "/weekly/feed.atom"):
        answer = closed.client.get(room + path)
        assert answer.status_code == 200
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert TITLE in closed.client.get(f"{room}/weekly").text
    feed = feedparser.parse(closed.client.get(f"{room}/weekly/feed.atom").content)
    assert f"{room}/" in feed.entries[0].link
    assert "/l/" not in feed.entries[0].id


def test_the_answer_is_the_same_whoever_it_is_and_one_letter_an_hour_goes_to_who_gets_ours(closed: Site):
    answers = [
        ask(closed, who)
        for who in ("paret@example.org", "Cecilia@Example.org", "ingen@example.org", "paret@example.org")
    ]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert [letter.key.rpartition(":")[0] for letter in closed.letters()] == ["archive:1", "archive:3"]


def test_who_left_all_letters_is_sent_none_and_their_link_ends(closed: Site):
    room = closed.archive_path(CECILIA)
    with closed.app.writing() as session:
        enrolment.leave(session, CECILIA, source="link", now=closed.watch())

    ask(closed, "cecilia@example.org")

    assert closed.letters() == []
    assert closed.client.get(room).status_code == 410
    assert "/archive" in closed.client.get(room).text


def test_a_member_who_gets_no_newsletter_reads_on(closed: Site):
    with closed.app.writing() as session:
        consent.withdraw(session, CECILIA, publication=None, source="link", now=closed.watch())

    assert closed.client.get(closed.archive_path(CECILIA)).status_code == 200


def test_the_link_is_good_for_a_year(closed: Site):
    assert closed.client.get(closed.archive_path(since=timedelta(days=366))).status_code == 200
    assert closed.client.get(closed.archive_path(since=timedelta(days=366, hours=1))).status_code == 410
    assert closed.client.get(closed.archive_path(since=timedelta(hours=-1))).status_code == 410


def test_a_link_of_another_purpose_or_of_nobody_is_not_found(closed: Site):
    make = closed.app.links.tokens.make
    tokens = [make(purpose, ANNA, LETTER) for purpose in Purpose if purpose is not Purpose.ARCHIVE]

    pages = {closed.client.get(f"/l/{token}/weekly").content for token in (*tokens, make(Purpose.ARCHIVE, 999, 0))}

    assert pages == {closed.client.get("/l/x/weekly").content}


def test_a_form_that_no_person_read_sends_nothing(closed: Site):
    page = closed.client.get("/archive/weekly").text
    nonce = page.partition('name="nonce" value="')[2].partition('"')[0]
    at_once = closed.client.post("/archive/weekly", data={"nonce": nonce, "address": "paret@example.org"})
    forged = closed.client.post("/archive/weekly", data={"address": "paret@example.org"})
    trapped = ask(closed, "paret@example.org", homepage="x")
    wrong = ask(closed, "no address")

    assert all("Skicka länken till mig" in answer.text for answer in (at_once, forged, trapped, wrong))
    assert wrong.status_code == 400
    assert closed.letters() == []


def test_letters_with_links_are_limited_per_network(closed: Site):
    for _ in range(Act.MAIL.burst):
        ask(closed, "ingen@example.org")

    assert ask(closed, "ingen@example.org").status_code == 429


@pytest.mark.parametrize("state", [MailingState.PAUSED, MailingState.HELD, MailingState.CANCELLED])
def test_a_letter_that_was_stopped_is_not_shown(public: Site, state: MailingState):
    with public.app.writing() as session:
        session.get_one(Mailing, LETTER).state = state

    assert TITLE not in public.client.get("/archive/weekly").text
    assert public.client.get("/archive/weekly/2024-W10").status_code == 404


def test_the_archive_keeps_a_letter_longer_than_its_own_page_and_then_lets_it_go(public: Site):
    kept = public.app.settings.retention

    retention.run(public.app.writing, kept, public.watch() + kept.archive)
    assert "Den byggs i år." in public.client.get("/archive/weekly/2024-W10").text

    done = retention.run(public.app.writing, kept, public.watch() + kept.archive + timedelta(seconds=1))
    assert (done["archive"], done["letters as web pages"]) == (4, 1)
    assert public.client.get("/archive/weekly/2024-W10").status_code == 404


def test_the_page_of_a_forgotten_letter_leads_to_the_archive(public: Site):
    answer = public.client.get(page_of(public, FORGOTTEN))

    assert answer.status_code == 410
    assert 'href="/archive/weekly"' in answer.text


def test_config_may_want_no_archive(public: Site):
    none = {slug: one.model_copy(update={"archive": "none"}) for slug, one in public.app.settings.publications.items()}
    public.app.settings = public.app.settings.model_copy(update={"publications": none})

    assert public.client.get("/archive/weekly").status_code == 404
    assert "/archive" not in public.client.get("/").text
    assert "/archive" not in public.client.get(page_of(public, FORGOTTEN)).text
