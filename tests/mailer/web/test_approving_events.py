"""Approving the letters about an event by a link: what its approver sees, and how the clock asks for it."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from mailer.config.people import Person
from mailer.events import book as events
from mailer.jobs.people import tell_people
from mailer.jobs.places import keep_places
from mailer.jobs.reminders import keep_reminders
from mailer.operators.models import Outcome
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from tests.mailer.web.conftest import Site
from tests.mailer.web.test_approving import LINK, Office, open_office

INVITATION = "event:1:invitation-14d-before"


@pytest.fixture
def office(site: Site) -> Office:
    return open_for_events(site)


def open_for_events(site: Site) -> Office:
    """Letters about events go to three readers of the weekly letter; two are few enough for one operator."""
    office = open_office(site)
    settings = site.app.settings
    site.app.settings = settings.model_copy(
        update={
            "events": settings.events.model_copy(update={"publication": "weekly"}),
            "people": {"kansli": Person(address="kansli@example.org", language="en", tell=("unapproved",))},
        }
    )
    office.key = "event:1"
    return office


def write_event(office: Office, by: str | None = "anna") -> None:
    now = office.site.watch()
    starts = (now + timedelta(days=14)).replace(hour=12, minute=0)
    said = {
        "title": "Första maj",
        "place": "Norra Bantorget",
        "text": "Kom <b>du</b> också!",
        "districts": "stockholms-lan",
    }
    hours = {"starts": f"{starts:%Y-%m-%d %H:%M}", "ends": f"{starts:%Y-%m-%d 16:00}"}
    with office.site.app.writing() as session:
        events.add(session, said | hours, zone="UTC", host="example.org", by=by, now=now)


def ring(office: Office) -> None:
    for job in (keep_reminders, keep_places, tell_people):
        job(office.site.app, office.site.watch())


def told(office: Office, key: str) -> int:
    with office.site.app.reading() as session:
        found = select(Delivery.member_id).join(Mailing).where(Mailing.key == key)  # type: ignore[arg-type]  # a table
        return len(session.exec(found).all())


def test_the_clock_asks_once_and_whoever_may_is_sent_a_link_that_approves(office: Office) -> None:
    write_event(office)
    ring(office)
    assert office.mails() == {}  # not due yet

    office.site.watch.at += timedelta(days=1)
    ring(office)
    mails = office.mails()
    assert mails.keys() == {"bo@kansli.example.org", "kansli@example.org"}
    assert (
        "Anna Ek asks for approval of event:1 (Första maj), which goes to 3 members." in mails["bo@kansli.example.org"]
    )
    assert "utskick events approve 1" in mails["kansli@example.org"]
    for _ in range(3):
        office.site.watch.at += timedelta(minutes=1)
        ring(office)
    assert office.mails() == {}

    [link] = LINK.findall(mails["bo@kansli.example.org"])
    path = link.removeprefix(office.site.app.links.base_url)
    assert "is approved" in office.site.press(path, choice="approve").text
    ring(office)
    assert told(office, INVITATION) == 0
    office.site.watch.at += timedelta(minutes=5)
    ring(office)
    assert told(office, INVITATION) == 3


def test_what_nobody_said_is_asked_for_by_the_clock_and_one_is_enough(office: Office) -> None:
    write_event(office, by=None)
    office.site.watch.at += timedelta(days=1)
    ring(office)

    mails = office.mails()
    assert mails.keys() == {"anna@kansli.example.org", "bo@kansli.example.org", "kansli@example.org"}
    assert "event:1 (Första maj) is due, and goes to 3 members" in mails["bo@kansli.example.org"]
    assert "the clock, because it is due" in office.site.client.get(office.path("bo")).text

    office.press("bo")
    assert office.outcome() is Outcome.GRANTED


def test_whoever_approves_sees_every_letter_in_both_languages_and_to_whom_they_go(office: Office) -> None:
    write_event(office)
    office.ask()
    page = office.site.client.get(office.path("bo"))

    audience = "Everyone who gets The weekly letter: who chose Stockholms län, or what lies inside."
    assert f"{audience} Also: who chose no district." in page.text
    assert "<dd>3</dd>" in page.text
    found = [*re.findall(r'<iframe[^>]* src="([^"]+)"', page.text)]
    found += [at for at in re.findall(r'href="([^"]+/letter/[^"]+)"', page.text) if at not in found]
    letters = ("invitation", "reminder", "thanks", "details")
    assert [at.rpartition("/")[2] for at in found] == [f"{one}-{code}" for one in letters for code in ("sv", "en")]
    said = [office.site.client.get(at).text for at in found]
    assert all("Norra Bantorget" in one and "Kom &lt;b&gt;du&lt;/b&gt; också!" in one for one in said[:4])
    assert ["Kommer du?" in one for one in said[:2]] == [True, False]
    for other in ("changed-sv", "invitation-de", "invitation", "1"):
        path = found[0].rpartition("/")[0]
        assert office.site.client.get(f"{path}/{other}").status_code == 404
    answers = re.findall(r'href="([^"]*/r/[^"]+)"', said[0])
    assert answers
    assert {office.site.client.get(at.removeprefix(office.site.app.links.base_url)).status_code for at in answers} == {
        404  # the link is nobody's
    }


def test_of_a_change_the_old_place_is_seen_and_how_many_hear_of_it(office: Office) -> None:
    write_event(office)
    office.ask()
    office.press("bo")
    office.site.watch.at += timedelta(days=1)
    ring(office)
    with office.site.app.writing() as session:
        for delivery in session.exec(select(Delivery).where(Delivery.state == DeliveryState.QUEUED)):
            delivery.state = DeliveryState.SENT
        found = events.find_event(session, "1")
        events.edit(session, found, {"place": "Humlegården"}, by="anna", now=office.site.watch())
    office.ask()

    assert "Humlegården" in office.site.client.get("/e/1").text
    page = office.site.client.get(office.path("bo", 2)).text
    [frame] = re.findall(r'<iframe[^>]* src="([^"]+)"', page)
    letter = office.site.client.get(frame).text
    assert frame.endswith("/changed-sv")
    assert ("Norra Bantorget" in letter, "Humlegården" in letter) == (True, True)
    assert "<dd>3</dd>" in page
