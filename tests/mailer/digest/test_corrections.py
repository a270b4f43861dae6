import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from mailer import db
from mailer.digest import corrections, mended, waiting
from mailer.digest.corrections import Corrected, correct
from mailer.digest.editions import mailing_of
from mailer.digest.mended import Kind
from mailer.digest.models import Edition
from mailer.errors import Mistake
from mailer.links import Links
from mailer.outbox import control
from mailer.outbox.models import Batch, BatchState, DeliveryState
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City

KEY = "weekly:2024-W10"


def stop(city: City) -> None:
    with db.writing(city.engine) as session:
        corrections.stop(session, mailing_of(session, session.get_one(Edition, 1)))


def mend(city: City, note: str = "Fel datum.") -> Corrected:
    return correct(city.engine, city.settings, LINKS, city.edition(), note=note, now=MOMENT)


def titles(city: City, member: int, mailing: int = 1) -> list[str]:
    [(content,)] = city.rows(
        "SELECT v.content FROM delivery d JOIN variant v ON v.id = d.variant_id"  # noqa: S608  numbers of our own
        f" WHERE d.member_id = {member} AND d.mailing_id = {mailing}"
    )
    return city.titles(mailing, str(content))


@pytest.fixture
def halfway(city: City) -> City:
    """Anna (1) has got her mail, nobody knows of Bo's (2), Cia (3) waits, and Dan (4) was told of other things."""
    for districts in ("bromma", "bromma", "bromma", "farsta"):
        city.member(districts)
    city.news("Mötet är på tisdag", "bromma")
    city.news("Torget", "farsta")
    city.send()
    city.settle(DeliveryState.SENT, (1, 4))
    city.settle(DeliveryState.UNCERTAIN, (2,))
    stop(city)
    return city


def test_who_waits_gets_the_new_words_and_who_got_the_old_a_correction(halfway: City):
    halfway.change(1, title="Mötet är på onsdag")

    assert mend(halfway) == Corrected(moved=1, key=f"{KEY}:correction-1", candidates=2, shown=2)

    assert titles(halfway, 1) == titles(halfway, 2) == ["Mötet är på tisdag"]
    assert titles(halfway, 3) == ["Mötet är på onsdag"]
    assert halfway.told(f"{KEY}:correction-1") == {1: {1}, 2: {1}}
    assert titles(halfway, 1, mailing=2) == ["Mötet är på onsdag"]
    mailings = halfway.rows("SELECT content, state FROM mailing ORDER BY id")
    assert [(json.loads(str(content)).get("correction"), state) for content, state in mailings] == [
        (None, "planned"),
        ("Fel datum.", "planned"),
    ]


def test_a_letter_that_is_being_handed_over_is_waited_for(halfway: City):
    halfway.change(1, title="Mötet är på onsdag")
    with db.writing(halfway.engine) as session:
        batch = session.exec(select(Batch)).one()
        batch.state, batch.owner, batch.leased_until = BatchState.LEASED, "worker", MOMENT + timedelta(minutes=1)

    with pytest.raises(Mistake, match="in hand"):
        mend(halfway)
    assert titles(halfway, 3) == ["Mötet är på tisdag"]

    with db.writing(halfway.engine) as session:
        batch = session.exec(select(Batch)).one()
        batch.state, batch.owner, batch.leased_until = BatchState.OPEN, None, None
    assert mend(halfway).moved == 1


def test_correcting_twice_writes_to_nobody_twice(halfway: City):
    halfway.change(1, title="Mötet är på onsdag")
    mend(halfway)
    stop(halfway)

    with pytest.raises(Mistake, match="Nothing that weekly:2024-W10 says has changed"):
        mend(halfway)


def keep(city: City) -> str:
    with db.writing(city.engine) as session:
        return waiting.keep(session, city.edition(), note="Fel datum.", now=MOMENT)


@pytest.mark.parametrize(("again", "state"), [(keep, "draft"), (mend, "planned")])
def test_a_correction_that_was_cancelled_is_not_said_to_be_when_it_is_made_after_all(
    halfway: City, again: Callable[[City], object], state: str
):
    halfway.change(1, title="Mötet är på onsdag")
    key = keep(halfway)
    with db.writing(halfway.engine) as session:
        control.cancel(session.connection(), key)

    again(halfway)

    assert halfway.rows("SELECT key, state, reason FROM mailing ORDER BY id")[1:] == [(key, state, "")]


def test_that_our_pages_moved_is_no_mistake_to_correct(halfway: City):
    moved = Links("https://moved.example.org", LINKS.tokens)

    with pytest.raises(Mistake, match="Nothing that weekly:2024-W10 says has changed"):
        correct(halfway.engine, halfway.settings, moved, halfway.edition(), note="Fel.", now=MOMENT)


def test_a_second_mistake_is_corrected_for_all_who_were_told(halfway: City):
    halfway.change(1, title="Mötet är på onsdag")
    mend(halfway)
    halfway.settle(members=(1, 2, 3))
    stop(halfway)
    halfway.change(1, title="Mötet är på torsdag")

    assert mend(halfway) == Corrected(moved=0, key=f"{KEY}:correction-2", candidates=3, shown=2)


def test_withdrawn_news_is_not_sent_to_those_who_wait(halfway: City):
    halfway.change(1, hidden=True)

    mend(halfway, "Mötet är inställt.")

    assert halfway.rows("SELECT state, code FROM delivery WHERE member_id = 3") == [("cancelled", "withdrawn")]
    assert titles(halfway, 1, mailing=2) == []


def test_what_only_the_archive_shows_is_looked_at_and_corrected_by_one_rule(city: City):
    city.member("bromma")
    city.news("Bron", "bromma")
    city.news("Torget", "farsta")  # which nobody got
    city.send()
    city.settle()
    key = keep(city)
    city.change(2, title="Torget är avspärrat")

    with db.reading(city.engine) as session:
        found = waiting.look(session, city.settings, LINKS, key)
        assert (found.survey.got, found.survey.waiting, len(found.survey.archived)) == (0, 0, 2)
        shown = mended.examples(session, city.settings, found)
        assert [(it.kind, it.letter.language, it.letter.context["correction"]) for it in shown] == [
            (Kind.ARCHIVE, "sv", None),
            (Kind.ARCHIVE, "en", None),
        ]

    assert mend(city) == Corrected(moved=0, key=None, candidates=0, shown=2)
    with pytest.raises(Mistake, match="Nothing that weekly:2024-W10 says has changed"):
        mend(city)


def test_an_approver_reads_as_few_letters_as_say_all_that_is_new(city: City):
    for districts, language in (("bromma", "sv"), ("bromma", "sv"), ("bromma farsta", "sv"), ("bromma kista", "en")):
        city.member(districts, language=language)
    city.news("Mötet är på tisdag", "bromma")
    city.news("Torget", "farsta")
    city.news("Skolan", "kista")
    city.send()
    city.settle()
    city.change(1, title="Mötet är på onsdag")
    city.change(2, hidden=True)
    key = keep(city)

    with db.reading(city.engine) as session:
        read = mended.examples(session, city.settings, waiting.look(session, city.settings, LINKS, key))

    corrections_shown = [it.letter for it in read if it.kind is Kind.CORRECTION]
    assert [(it.language, len(str(it.context).split("Mötet är på onsdag")) - 1) for it in corrections_shown] == [
        ("sv", 1),  # to two
        ("sv", 1),  # where the square is gone from
        ("en", 1),
    ]
    assert {it.context["correction"] for it in corrections_shown} == {"Fel datum."}


def test_an_edition_that_still_runs_is_stopped_first(city: City):
    city.member()
    city.news("Bron")
    city.send()

    with pytest.raises(Mistake, match="stop it with"):
        mend(city)


def test_an_edition_that_has_not_begun_has_nothing_to_correct(city: City):
    city.approved()

    with pytest.raises(Mistake, match="nothing to correct"):
        stop(city)
