import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mailer import db
from mailer.config import Settings
from mailer.digest import editions
from mailer.digest.models import Edition
from mailer.digest.sending import Press, plan_edition, send_due, send_now
from mailer.errors import Mistake
from mailer.outbox.enqueue import Overtaken
from mailer.outbox.models import Mailing, MailingState
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City

KEY = "weekly:2024-W10"
THURSDAY = datetime(2024, 3, 7, 7, 0, tzinfo=UTC)  # 08:00 in Stockholm


def test_two_rings_draft_one_edition(city: City):
    with db.writing(city.engine) as session:
        first = editions.draft(session, city.settings, "weekly", MOMENT)
    with db.writing(city.engine) as session:
        second = editions.draft(session, city.settings, "weekly", MOMENT + timedelta(days=3))

    assert (first is not None, second) == (True, None)
    assert city.rows("SELECT key, state FROM mailing") == [(KEY, "draft")]


def test_a_draft_knows_when_it_goes_out_and_when_that_is_too_late(city: City):
    number = city.approved()

    with db.reading(city.engine) as session:
        mailing = editions.mailing_of(session, session.get_one(Edition, number))
        assert mailing.send_at == THURSDAY
        assert mailing.late_at == THURSDAY + timedelta(hours=12)
        assert mailing.give_up_at == THURSDAY + timedelta(days=2)


@pytest.mark.parametrize("name", ["weekly", KEY])
def test_an_edition_is_found_by_its_name_or_as_the_one_of_this_week(city: City, name: str):
    number = city.approved()

    with db.reading(city.engine) as session:
        assert editions.find(session, city.settings, name, MOMENT).id == number


@pytest.mark.parametrize(("name", "says"), [("weekly:2024-W11", "editions draft weekly"), ("wekly", "it has weekly")])
def test_an_unknown_edition_is_a_sentence_that_says_what_to_do(city: City, name: str, says: str):
    with db.reading(city.engine) as session, pytest.raises(Mistake, match=says):
        editions.find(session, city.settings, name, MOMENT)


CHANGES: dict[str, Callable[..., None]] = {
    "subject": lambda session, edition, _: editions.set_subject(session, edition, "Nytt"),
    "intro": lambda session, edition, _: editions.set_intro(session, edition, "Hej!"),
    "lead": editions.lead_with,
    "order": lambda session, edition, item: editions.put_in_order(session, edition, [item]),
    "leave-out": editions.leave_out,
    "take back": editions.take_back_in,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_change_after_the_approval_asks_for_it_anew(city: City, change: Callable[..., None]):
    number, item = city.approved(), city.news("Bron")

    with db.writing(city.engine) as session:
        edition = session.get_one(Edition, number)
        change(session, edition, item)
        assert editions.mailing_of(session, edition).state is MailingState.DRAFT
        assert edition.approved_at is None


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_is_planned_is_no_longer_changed(city: City, change: Callable[..., None]):
    city.member()
    item = city.news("Bron")
    city.send()

    with db.writing(city.engine) as session, pytest.raises(Mistake, match="can no longer be changed"):
        change(session, session.get_one(Edition, 1), item)


def test_the_editor_leads_orders_and_leaves_out(city: City):
    anna = city.member("bromma")
    items = [city.news(f"Nyhet {number}") for number in range(5)]
    with db.writing(city.engine) as session:
        edition = editions.draft(session, city.settings, "weekly", MOMENT)
        assert edition is not None
        editions.lead_with(session, edition, items[0])
        editions.lead_with(session, edition, items[4])
        editions.put_in_order(session, edition, [items[3], items[1]])
        editions.leave_out(session, edition, items[2])
        editions.set_subject(session, edition, "  Veckans\nnytt ")
        editions.approve(session, edition, who="test", now=MOMENT)
    send_now(Press(city.engine, city.settings, LINKS), 1, MOMENT)

    assert city.told(KEY) == {anna: {items[0], items[1], items[3], items[4]}}
    [(content,)] = city.rows("SELECT content FROM variant WHERE id IN (SELECT variant_id FROM delivery)")
    rows = city.rows("SELECT ref, content FROM piece")
    pieces = {ref: json.loads(str(content))["item"] for ref, content in rows}
    order = [int(pieces[ref]) for ref in _refs(content)]
    assert order == [items[4], items[3], items[1], items[0]]
    [(content,)] = city.rows("SELECT content FROM mailing")
    assert json.loads(str(content))["subject"] == "Veckans nytt"


def _refs(content: object) -> list[int]:
    return [ref for section in json.loads(str(content))["sections"] for ref, _ in section["items"]]


def test_an_item_is_placed_once_and_must_exist(city: City):
    number, item = city.approved(), city.news("Bron")

    with db.writing(city.engine) as session:
        edition = session.get_one(Edition, number)
        with pytest.raises(Mistake, match="name each once"):
            editions.put_in_order(session, edition, [item, item])
        with pytest.raises(Mistake, match="no news item 99"):
            editions.lead_with(session, edition, 99)


def test_nothing_is_sent_without_approval(city: City):
    with db.writing(city.engine) as session:
        editions.draft(session, city.settings, "weekly", MOMENT)

    with pytest.raises(Mistake, match="editions approve"):
        send_now(Press(city.engine, city.settings, LINKS), 1, MOMENT)
    assert send_due(Press(city.engine, city.settings, LINKS), THURSDAY) == []


def test_the_clock_sends_the_approved_edition_at_its_time_and_once(city: City):
    city.member()
    city.news("Bron")
    city.approved()

    assert send_due(Press(city.engine, city.settings, LINKS), THURSDAY - timedelta(minutes=1)) == []
    assert [planned.key for planned in send_due(Press(city.engine, city.settings, LINKS), THURSDAY)] == [KEY]
    assert send_due(Press(city.engine, city.settings, LINKS), THURSDAY) == []


def test_auto_approve_sends_a_draft_that_nobody_looked_at(city: City, with_digest: Callable[..., Settings]):
    city.member()
    city.news("Bron")
    with db.writing(city.engine) as session:
        editions.draft(session, city.settings, "weekly", MOMENT)

    sent = send_due(Press(city.engine, with_digest(auto_approve=True), LINKS), THURSDAY)

    assert [planned.candidates for planned in sent] == [1]
    assert city.rows("SELECT approved_by FROM edition") == [("auto_approve",)]


def test_an_edition_later_than_its_grace_is_held_until_a_person_sends_it(city: City):
    city.member()
    city.news("Bron")
    number = city.approved()
    late = THURSDAY + timedelta(hours=13)

    assert send_due(Press(city.engine, city.settings, LINKS), late) == []
    assert city.rows("SELECT state, plan FROM mailing") == [("held", None)]

    assert send_now(Press(city.engine, city.settings, LINKS), number, late).candidates == 1
    with db.reading(city.engine) as session:
        assert session.get_one(Mailing, 1).late_at == late + timedelta(hours=12)


def test_sending_twice_is_a_sentence(city: City):
    city.member()
    city.news("Bron")
    city.send()

    with pytest.raises(Mistake, match="is planned"):
        send_now(Press(city.engine, city.settings, LINKS), 1, MOMENT)


def test_the_second_of_two_clocks_plans_nothing(city: City):
    city.member()
    city.news("Bron")
    number = city.approved()
    plan_edition(Press(city.engine, city.settings, LINKS), number, THURSDAY)

    with pytest.raises(Overtaken):
        plan_edition(Press(city.engine, city.settings, LINKS), number, THURSDAY)
    assert city.rows("SELECT count(*) FROM delivery") == [(1,)]


def test_the_status_of_one_edition_counts_its_deliveries(city: City):
    members = city.member(), city.member()
    city.news("Bron")
    city.send()
    city.settle(members=members[:1])

    with db.reading(city.engine) as session:
        [row] = editions.status(session, session.get_one(Edition, 1))
    assert (row["key"], row["state"], row["candidates"], row["sent"], row["queued"]) == (KEY, "planned", 2, 1, 1)
