"""A member's own answers: handed out with the rest, deleted with the rest, and gone some weeks after the event."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from mailer.config.members import Retention
from mailer.events.models import EventShift, Rsvp, TakenShift
from mailer.jobs.places import keep_places
from mailer.members import retention
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState, Variant
from tests.builders import a_member
from tests.mailer.events.saying import a_rally, a_shift
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import delivered, given, say, told
from tests.mailer.web.test_calendar import hold
from tests.mailer.web.test_forgetting import press
from tests.mailer.web.test_shifting import NOON, do, taken

KEPT = Retention().answers


def a_busy_event(site: Site) -> int:
    """Anna has the one place and a shift, Cecilia waits."""
    event = hold(site, capacity=1, shifts=(NOON,), title="Fika före första maj")
    say(site, event, "yes", ANNA)
    say(site, event, "yes", CECILIA)
    do(site, event, "take", NOON, CECILIA)
    return event


def test_the_file_and_the_page_hold_ones_own_answers_and_shifts(site: Site):
    a_busy_event(site)

    held = json.loads(press(site, "held", CECILIA, choice="file").text)
    page = press(site, "held", CECILIA, choice="page").text

    assert [(row["title"], row["said"], row["waiting"]) for row in held["answers"]] == [
        ("Fika före första maj", "yes", True)
    ]
    assert [row["place"] for row in held["shifts"]] == ["Skärholmstorget"]
    assert "Skärholmstorget" in page
    assert "Fika före första maj" in page


def test_who_is_forgotten_leaves_their_place_to_the_next_and_their_shift_free(site: Site):
    event = a_busy_event(site)
    say(site, event, "yes", BO)

    press(site, "erase", ANNA, sure="yes")
    press(site, "erase", CECILIA, sure="yes")
    keep_places(site.app, site.watch())

    assert given(site, event).keys() == {BO}
    assert told(site) == [BO]
    assert taken(site, event) == {}


def test_some_weeks_after_the_event_nobody_knows_who_came(site: Site):
    event, two_months = a_busy_event(site), timedelta(days=60)
    later = hold(site, "later", starts_at=a_rally().starts_at + two_months, ends_at=a_rally().ends_at + two_months)
    say(site, later, "yes", BO)
    say(site, event, "no", ANNA)
    assert len(delivered(site)) == 1

    for since, left in ((KEPT - timedelta(minutes=1), 3), (KEPT + timedelta(minutes=1), 0)):
        at = a_rally().ends_at + since
        with site.app.reading() as session:
            due = {one.what: one.due for one in retention.report(session, site.app.settings.retention, at)}
        done = retention.run(site.app.writing, site.app.settings.retention, at)
        assert due["answers to events"] == done["answers to events"] == 3 - left
        assert len(given(site, event)) + sum(map(len, taken(site, event).values())) == left

    assert given(site, later).keys() == {BO}


def test_the_letters_about_it_keep_neither_their_words_nor_the_event(site: Site):
    event = a_busy_event(site)
    say(site, event, "no", ANNA)
    delivered(site)

    retention.run(site.app.writing, site.app.settings.retention, a_rally().ends_at + KEPT + timedelta(days=1))

    with site.app.reading() as session:
        mailing = session.exec(select(Mailing).where(Mailing.letter == "place")).one()
        assert (mailing.state, mailing.content) == (MailingState.DONE, '{"number": 0}')
        assert [row.content for row in session.exec(select(Variant).where(Variant.mailing_id == mailing.id))] == [""]
        [delivery] = session.exec(select(Delivery).where(Delivery.mailing_id == mailing.id)).all()
        assert delivery.state is DeliveryState.SENT


def test_of_more_letters_than_answers_none_is_left_for_another_night(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    with site.app.writing() as session:
        for number in range(5):
            session.add(
                Mailing(
                    key=f"place:{number}",
                    publication="weekly",
                    letter="place",
                    state=MailingState.DONE,
                    content='{"number": 1}',
                    created_at=site.watch(),
                )
            )
    at = site.watch() + KEPT + timedelta(days=1)
    with site.app.reading() as session:
        due = {one.what: one.due for one in retention.report(session, site.app.settings.retention, at)}

    done = retention.run(site.app.writing, site.app.settings.retention, at)

    assert due["letters about answers"] == done["letters about answers"] == 5
    with site.app.reading() as session:
        assert set(session.exec(select(Mailing.content).where(Mailing.letter == "place"))) == {'{"number": 0}'}


def test_many_answers_go_in_short_transactions(site: Site):
    event = hold(site, shifts=(a_shift(needs=1000),))
    with site.app.writing() as session:
        number = session.scalar(sa.select(EventShift.id))  # type: ignore[arg-type]  # SQL
        people = [a_member(f"m{one}@example.org") for one in range(450)]
        session.add_all(people)
        session.flush()
        now, shift = site.watch(), a_shift()
        for person in people:
            session.add(Rsvp(event_id=event, member_id=person.id or 0, answer="yes", since=now, answered_at=now))
            told_of = {"starts_at": shift.starts_at, "ends_at": shift.ends_at, "place": shift.place}
            session.add(TakenShift(shift_id=number, member_id=person.id or 0, taken_at=now, **told_of))

    at = a_rally().ends_at + KEPT + timedelta(days=1)
    assert retention.run(site.app.writing, site.app.settings.retention, at)["answers to events"] == 900
    assert given(site, event) == taken(site, event) == {}
