from datetime import timedelta

import pytest

from mailer import db
from mailer.digest.corrections import correct
from mailer.digest.plan import prepare
from mailer.digest.previews import for_district, letter_of
from mailer.events import book
from mailer.outbox.models import DeliveryState
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City
from tests.mailer.digest.test_corrections import stop


def an_event(city: City, title: str, districts: str = "", begins: timedelta = timedelta(days=5), **said: object) -> int:
    starts = (MOMENT + begins).replace(tzinfo=None)
    table = {"title": title, "starts": starts, "ends": starts + timedelta(hours=2), "districts": districts.split()}
    with db.writing(city.engine) as session:
        event = book.add(session, table | said, zone="UTC", host="example.org", now=MOMENT)
        return event.id or 0


def events_told(city: City, key: str = "weekly:2024-W10") -> dict[int, list[int]]:
    rows = city.rows(
        "SELECT m.key, d.member_id, e.event_id FROM delivery d JOIN mailing m ON m.id = d.mailing_id"
        " JOIN variant_event e ON e.variant_id = d.variant_id ORDER BY 2, 3"
    )
    found: dict[int, list[int]] = {}
    for mailing, member, event in rows:
        if mailing == key:
            found.setdefault(int(str(member)), []).append(int(str(event)))
    return found


def shown_to(city: City, district: str) -> list[dict[str, object]]:
    city.approved()
    with db.reading(city.engine) as session:
        basis = prepare(session, city.settings, city.edition(), LINKS, MOMENT, {})
        sheet = for_district(session, basis, district)
        assert sheet is not None
        return [dict(event) for event in letter_of(basis, sheet)["events"]]


def test_a_digest_tells_the_coming_events_near_its_reader_the_next_one_first(city: City):
    city.news("Bron")
    an_event(city, "Senare i Bromma", "bromma", timedelta(days=9))
    an_event(city, "Alla")
    an_event(city, "Farsta", "farsta")
    an_event(city, "Hela staden", "stockholm", timedelta(days=7))

    told = shown_to(city, "bromma")

    assert [(event["title"], event["reason"]) for event in told] == [
        ("Alla", {"kind": "everyone", "name": None}),
        ("Hela staden", {"kind": "parent", "name": "Stockholm"}),
        ("Senare i Bromma", {"kind": "district", "name": "Bromma"}),
    ]
    assert (told[0]["page"], told[0]["calendar"]) == (
        "https://news.example.org/e/2",
        "https://news.example.org/e/2.ics",
    )


@pytest.mark.parametrize(
    "begins", [timedelta(hours=-1), timedelta(weeks=6)], ids=["has begun", "lies beyond events_within"]
)
def test_what_is_over_or_far_away_is_not_told(city: City, begins: timedelta):
    city.news("Bron")
    an_event(city, "Inte nu", begins=begins)

    assert shown_to(city, "bromma") == []


def test_what_is_called_off_is_not_told(city: City):
    city.news("Bron")
    an_event(city, "Inställt", cancelled=True)

    assert shown_to(city, "bromma") == []


def test_events_alone_are_no_digest(city: City):
    city.member()
    an_event(city, "Alla")

    assert city.send().candidates == 0


def test_so_many_events_as_config_says_and_which_revision_of_each_is_noted(city: City):
    member = city.member()
    city.news("Bron")
    for number in range(7):
        an_event(city, f"Möte {number}", begins=timedelta(days=number + 1))
    city.send()

    assert events_told(city) == {member: [1, 2, 3, 4, 5]}


def test_a_corrected_edition_still_knows_which_events_it_told(city: City):
    anna, bo = city.member(), city.member()
    item = city.news("Mötet är på tisdag")
    an_event(city, "Alla")
    city.send()
    city.settle(DeliveryState.SENT, (anna,))
    stop(city)
    city.change(item, title="Mötet är på onsdag")

    correct(city.engine, city.settings, LINKS, city.edition(), note="Fel.", now=MOMENT)

    assert events_told(city) == {anna: [1], bo: [1]}
    assert events_told(city, "weekly:2024-W10:correction-1") == {anna: [1]}
