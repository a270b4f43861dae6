from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from mailer import db
from mailer.digest import editions, previews, proofs
from mailer.digest.plan import Basis, prepare
from mailer.errors import Mistake
from mailer.render.letters import Letters
from mailer.resources import resource
from subscribers.errors import Refused
from subscribers.models import State
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City


def basis_of(city: City) -> Basis:
    with db.writing(city.engine) as session:
        edition = editions.draft(session, city.settings, "weekly", MOMENT)
        assert edition is not None
        basis = prepare(session, city.settings, edition, LINKS, MOMENT, {})
        session.expunge(edition)
        return basis


def test_the_preview_shows_what_planning_then_does(city: City):
    for chosen in ("bromma", "bromma", "farsta", "kista"):
        city.member(chosen)
    city.news("Bron", "bromma")
    city.news("Torget", "bromma farsta")
    basis = basis_of(city)

    with db.reading(city.engine) as session:
        sheets, counts = previews.sheets(session, basis, MOMENT)

    assert [(sheet.members, sheet.digest.items) for sheet in sheets] == [(2, (1, 2)), (1, (2,))]
    assert (counts.readers, counts.silent) == (4, 1)
    assert city.rows("SELECT count(*) FROM delivery") == [(0,)]


def test_the_preview_of_a_member_knows_what_the_household_has_had(city: City):
    anna = city.member("bromma", address="home@example.org")
    city.news("Bron", "bromma")
    city.send(MOMENT - timedelta(weeks=1) + timedelta(days=6))
    city.settle()
    bo = city.member("farsta", address="home@example.org")
    city.news("Torget", "farsta")
    with db.writing(city.engine) as session:
        edition = editions.draft(session, city.settings, "weekly", MOMENT + timedelta(weeks=1))
        assert edition is not None
        basis = prepare(session, city.settings, edition, LINKS, MOMENT + timedelta(weeks=1), {})
        sheets = [previews.for_member(session, basis, member, MOMENT) for member in (anna, bo)]

    assert [sheet and sheet.digest.items for sheet in sheets] == [(2,), (2,)]


def test_a_couple_is_two_members_with_one_mail_in_the_preview_as_in_the_plan(city: City):
    for address in ("home@example.org", "home@example.org", "alone@example.org"):
        city.member("bromma", address=address)
    city.member("kista", address="quiet@example.org")
    city.member("kista", address="quiet@example.org")
    city.news("Bron", "bromma")

    with db.reading(city.engine) as session:
        [sheet], counts = previews.sheets(session, basis_of(city), MOMENT)
    planned = city.send(MOMENT + timedelta(weeks=1))

    assert (sheet.mails, sheet.members, counts.mails, counts.silent) == (2, 3, 2, 2)
    assert (planned.mails, planned.candidates, planned.silent) == (2, 3, 2)


def test_a_member_who_may_not_be_written_to_gets_no_preview(city: City):
    left = city.member(state=State.LEFT, ended_at=MOMENT)
    basis = basis_of(city)

    with db.reading(city.engine) as session:
        with pytest.raises(Mistake, match="may not be written to: they have left"):
            previews.for_member(session, basis, left, MOMENT)
        with pytest.raises(Mistake, match="no member 99"):
            previews.for_member(session, basis, 99, MOMENT)


def test_an_imagined_reader_of_a_district_stands_for_its_members(city: City):
    city.news("Bron", "bromma")
    city.news("Torget", "farsta")
    basis = basis_of(city)

    with db.reading(city.engine) as session:
        sheet = previews.for_district(session, basis, "farsta")
        assert previews.for_district(session, basis, "kista") is None
        assert previews.for_district(session, basis, "Farsta") == sheet
        with pytest.raises(Refused, match="Did you mean farsta"):
            previews.for_district(session, basis, "fartsa")

    assert sheet is not None
    assert sheet.digest.items == (2,)


def test_the_coverage_counts_what_reaches_a_district_and_marks_the_holes(city: City):
    city.news("Skolan", "bromma", "school")
    city.news("Stadens skolor", "stockholm", "school")
    city.news("Vården", "farsta", "care")
    city.news("Gammalt", "kista", "care", published_at=MOMENT - timedelta(days=25))
    city.news("Slut", "kista", "care", expires_at=MOMENT)

    basis = basis_of(city)

    with db.reading(city.engine) as session:
        covers = {cover.district: cover for cover in previews.coverage(session, basis, MOMENT)}

    assert {slug: (cover.local, dict(cover.topics)) for slug, cover in covers.items()} == {
        "bromma": (1, {"care": 0, "school": 2}),
        "farsta": (1, {"care": 1, "school": 1}),
        "kista": (0, {"care": 0, "school": 1}),
        "stockholm": (1, {"care": 0, "school": 1}),
    }
    assert covers["bromma"].holes == ("care",)


def test_the_coverage_begins_with_the_districts_that_someone_reads_about(city: City):
    city.member("kista")
    city.member("farsta", ended_at=MOMENT - timedelta(days=1))
    basis = basis_of(city)

    with db.reading(city.engine) as session:
        covers = previews.coverage(session, basis, MOMENT)

    assert [(cover.name, cover.read) for cover in covers] == [
        ("Kista", True),
        ("Bromma", False),
        ("Farsta", False),
        ("Stockholm", False),
    ]


def test_a_topic_is_without_news_when_no_district_has_any(city: City):
    city.news("Skolan", "bromma", "school")
    city.news("Vården", "farsta", "care", published_at=MOMENT - timedelta(days=25))

    assert previews.topics_without_news(basis_of(city)) == ["care"]


def test_a_proof_is_a_mail_of_the_sheet_signed_by_the_district_and_leads_nobody_out(city: City):
    city.news("Bron öppnar", "bromma")
    basis = basis_of(city)
    letters = Letters(resource("templates") / "email")
    with db.reading(city.engine) as session:
        sheet = previews.for_district(session, basis, "bromma")
    assert sheet is not None

    message = proofs.proof(letters, basis, sheet, LINKS, address="red@example.org", now=MOMENT)

    mail = message_from_bytes(message.content, policy=policy.default)
    assert mail["From"].addresses[0].display_name == "Exempelpartiet i Bromma"
    assert mail["To"].addresses[0].addr_spec == "red@example.org"
    assert mail["List-Unsubscribe"] is None
    assert "Bron öppnar" in mail.get_body(("plain",)).get_content()
    assert "Bron öppnar" in proofs.show(letters, basis, sheet, LINKS, MOMENT).html
    with pytest.raises(Mistake, match="not an address"):
        proofs.proof(letters, basis, sheet, LINKS, address="red@", now=MOMENT)
