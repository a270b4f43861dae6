"""How many members brought to the reader's own districts, told below the news."""

import json

from mailer import db
from mailer.digest.corrections import correct
from mailer.digest.plan import prepare
from mailer.digest.previews import for_district, letter_of, sheet_row
from mailer.digest.sending import Press, send_now
from mailer.outbox.models import DeliveryState
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City
from tests.mailer.digest.test_corrections import stop

CAME = {"bromma": 15, "farsta": 20, "stockholm": 5}


def send(city: City, newcomers: dict[str, int]) -> None:
    send_now(Press(city.engine, city.settings, LINKS, newcomers), city.approved(), MOMENT)


def told(city: City, key: str = "weekly:2024-W10") -> dict[int, object]:
    rows = city.rows(
        "SELECT m.key, d.member_id, v.content FROM delivery d JOIN mailing m ON m.id = d.mailing_id"
        " JOIN variant v ON v.id = d.variant_id"
    )
    return {int(str(member)): json.loads(str(content))["newcomers"] for at, member, content in rows if at == key}


def test_a_digest_tells_of_the_readers_own_districts_the_most_first_and_of_no_other(city: City):
    one, two = city.member("bromma"), city.member("bromma farsta")
    few, none = city.member("kista"), city.member()
    city.news("Bron")

    send(city, CAME)

    assert told(city) == {one: [["bromma", 15]], two: [["farsta", 20], ["bromma", 15]], few: [], none: []}


def test_it_makes_variants_only_for_those_who_are_told_something_else(city: City):
    for districts in ("bromma", "bromma", "kista", ""):
        city.member(districts)
    city.news("Bron")

    send(city, CAME)

    assert len(city.rows("SELECT id FROM variant WHERE id IN (SELECT variant_id FROM delivery)")) == 2


def test_newcomers_alone_are_no_digest(city: City):
    city.member("bromma")

    send(city, CAME)

    assert told(city) == {}


def test_it_stays_as_it_was_planned_when_the_edition_is_corrected(city: City):
    anna, bo = city.member("bromma"), city.member("bromma")
    item = city.news("Mötet är på tisdag")
    send(city, CAME)
    city.settle(DeliveryState.SENT, (anna,))
    stop(city)
    city.change(item, title="Mötet är på onsdag")

    correct(city.engine, city.settings, LINKS, city.edition(), note="Fel.", now=MOMENT)

    assert told(city) == {anna: [["bromma", 15]], bo: [["bromma", 15]]}


def test_a_preview_shows_it_by_name(city: City):
    city.news("Bron")
    city.approved()

    with db.reading(city.engine) as session:
        basis = prepare(session, city.settings, city.edition(), LINKS, MOMENT, CAME)
        sheet = for_district(session, basis, "bromma")

    assert sheet is not None
    assert letter_of(basis, sheet)["newcomers"] == [{"name": "Bromma", "number": 15}]
    assert sheet_row(basis, sheet)["newcomers"] == [{"district": "bromma", "number": 15}]
