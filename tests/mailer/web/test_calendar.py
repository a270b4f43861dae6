"""The public pages of events and the calendars that programs follow."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from mailer.events import book
from mailer.events.said import Said
from tests.mailer.events.saying import a_rally, a_shift, a_step
from tests.mailer.web.conftest import Site

HOST = "nyhet.example.org"


def hold(site: Site, key: str = "forsta-maj", **values: object) -> int:
    """Write an event down, or say it otherwise; return its number."""
    with site.app.writing() as session:
        said = Said(key, a_rally(**values))
        stored = book.bring_in(session, "own", [said], host=HOST, now=site.watch())
        assert not stored.faults
        return book.find_event(session, key).id or 0


def calendar_at(site: Site, path: str) -> Calendar:
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content)


def titles_at(site: Site, path: str) -> list[str]:
    return [str(event["SUMMARY"]) for event in calendar_at(site, path).walk("VEVENT")]


def test_an_event_has_a_page_with_all_that_is_said_of_it(site: Site):
    number = hold(
        site,
        text="Vi går <b>tillsammans</b>.",
        meeting_point="Vid scenen",
        route=(a_step(11), a_step(13, "Tal", "Kungsträdgården")),
        map_url="https://www.openstreetmap.org/?mlat=59",
        rain_plan="Vi går ändå.",
        contact="1maj@nyhet.example.org",
        capacity=40,
        districts=frozenset({"bromma"}),
    )

    page = site.client.get(f"/e/{number}")

    assert page.headers["x-robots-tag"] == "all"
    for words in (
        "<strong>lördag 1 maj 2027, 13:00–16:00</strong>",
        "Vi går &lt;b&gt;tillsammans&lt;/b&gt;.",
        "<strong>15:00</strong> Tal, Kungsträdgården",
        'href="https://www.openstreetmap.org/?mlat=59"',
        "Om det regnar",
        'href="mailto:1maj@nyhet.example.org"',
        "40 personer",
        f'href="/e/{number}.ics"',
        'href="webcal://127.0.0.1:8080/calendar/bromma.ics"',
    ):
        assert words in page.text, words
    assert "Saturday, May 1, 2027" in site.client.get(f"/e/{number}", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"place": "Humlegården"}, "Tid eller plats har ändrats"),
        ({"cancelled": True}, "Det blir inte av."),
    ],
)
def test_the_page_says_what_became_of_it(site: Site, change: dict[str, object], words: str):
    number = hold(site)
    assert words not in site.client.get(f"/e/{number}").text
    with site.app.writing() as session:
        book.edit(session, book.find_event(session, str(number)), change, now=site.watch())

    page = site.client.get(f"/e/{number}").text
    assert words in page
    assert ("Ta bort det ur din kalender" in page) is ("cancelled" in change)


def test_what_is_over_says_so_and_is_put_into_no_calendar(site: Site):
    number = hold(site)
    site.watch.at = a_rally().ends_at

    page = site.client.get(f"/e/{number}").text

    assert "Det är över." in page
    assert ".ics" not in page


@pytest.mark.parametrize(
    "path", ["/e/0", "/e/99", "/e/x", "/e/1.txt", "/e/9999999999", "/e/1.ics.ics", "/calendar/x.ics"]
)
def test_what_is_no_event_and_no_district_is_not_found(site: Site, path: str):
    hold(site)

    assert site.client.get(path).status_code == 404


def test_a_districts_calendar_has_its_own_events_those_above_it_and_everybodys(site: Site):
    for key, districts in (("alla", ()), ("lan", ("stockholms-lan",)), ("br", ("bromma",)), ("jarva", ("jarva",))):
        hold(site, key, title=key, districts=frozenset(districts))

    assert titles_at(site, "/calendar/bromma.ics") == ["alla", "lan", "br"]
    assert titles_at(site, "/calendar/jarva.ics") == ["alla", "lan", "jarva"]
    assert titles_at(site, "/calendar/stockholms-lan.ics") == ["alla", "lan"]
    assert titles_at(site, "/calendar.ics") == ["alla", "lan", "br", "jarva"]
    assert calendar_at(site, "/calendar/bromma.ics")["NAME"] == "Exempelpartiet i Stockholm · Bromma"


def test_a_change_keeps_the_uid_and_counts_up_and_a_cancellation_too(site: Site):
    number = hold(site)
    before = calendar_at(site, "/calendar.ics").walk("VEVENT")[0]
    site.watch.at += timedelta(days=1)
    hold(site, place="Humlegården")
    moved = calendar_at(site, "/calendar.ics").walk("VEVENT")[0]
    with site.app.writing() as session:
        book.cancel(session, book.find_event(session, str(number)), off=False, now=site.watch())
    gone = calendar_at(site, f"/e/{number}.ics")

    assert before["UID"] == moved["UID"] == gone.walk("VEVENT")[0]["UID"]
    assert [event["SEQUENCE"] for event in (before, moved, gone.walk("VEVENT")[0])] == [0, 1, 2]
    assert moved["DTSTAMP"].dt == site.watch()
    assert gone["METHOD"] == "CANCEL"


def test_a_program_that_has_the_calendar_is_told_so_in_a_line(site: Site):
    hold(site)
    mark = site.client.get("/calendar.ics").headers["etag"]

    same = site.client.get("/calendar.ics", headers={"If-None-Match": f'"x", W/{mark}'})

    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["cache-control"] == "public, max-age=900"
    hold(site, place="Humlegården")
    assert site.client.get("/calendar.ics", headers={"If-None-Match": mark}).status_code == 200


def test_whoever_answers_for_the_site_is_the_organizer_also_where_its_contact_is_no_mailbox(site: Site):
    hold(site)
    [event] = calendar_at(site, "/calendar.ics").walk("VEVENT")
    assert event["ORGANIZER"] == "mailto:kontakt@nyhet.example.org"

    settings = site.app.settings
    site.app.settings = settings.model_copy(
        update={"site": settings.site.model_copy(update={"contact": "https://example.org/kontakt"})}
    )
    [event] = calendar_at(site, "/calendar.ics").walk("VEVENT")
    assert event["ORGANIZER"] == "mailto:kontakt@nyhet.example.org"


def test_shifts_stand_on_the_page(site: Site):
    number = hold(site, shifts=(a_shift(12, needs=4, place="Skärholmstorget"),))

    assert "Skärholmstorget" in site.client.get(f"/e/{number}").text


def test_a_calendar_without_events_is_one(site: Site):
    assert titles_at(site, "/calendar.ics") == []
