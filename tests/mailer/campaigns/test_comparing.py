"""Two subjects compared: by what is known anyhow, with nothing shown that could point at somebody."""

from datetime import timedelta
from itertools import product
from math import comb

import pytest

from mailer import db
from mailer.campaigns import book
from mailer.campaigns.comparing import Deed, Group, Verdict, by_chance, compare, shown
from mailer.campaigns.report import groups
from mailer.campaigns.sending import send_now
from mailer.errors import Mistake
from mailer.events import answers
from mailer.events.attendance import Answer, Wish
from mailer.events.models import Event
from mailer.outbox.models import DeliveryState
from subscribers import consent
from tests.builders import MOMENT
from tests.mailer.campaigns.conftest import Town
from tests.mailer.campaigns.letters import a_file


def a_group(members: int, unsubscribed: int) -> Group:
    return Group("Ämne", members, {Deed.UNSUBSCRIBED: unsubscribed})


def test_numbers_below_five_are_not_shown():
    assert [shown(number) for number in (0, 4, 5, 400)] == [None, None, 5, 400]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((500, 3), (500, 4), Verdict.TOO_FEW),
        ((500, 8), (500, 10), Verdict.CHANCE),
        ((500, 5), (500, 30), Verdict.SECOND),
        ((500, 30), (500, 5), Verdict.FIRST),
        ((100, 20), (1000, 20), Verdict.FIRST),
        ((100_000, 200), (100_000, 215), Verdict.CHANCE),
        ((500_000, 2_000), (500_000, 2_400), Verdict.SECOND),
    ],
)
def test_a_difference_means_something_when_chance_seldom_makes_it(
    first: tuple[int, int], second: tuple[int, int], verdict: Verdict
):
    assert compare([a_group(*first), a_group(*second)], Deed.UNSUBSCRIBED) is verdict


@pytest.mark.parametrize(("of_first", "of_second"), [*product((1, 4, 9), repeat=2)])
def test_the_chance_is_that_of_counting_every_division(of_first: int, of_second: int):
    for first, second in product(range(of_first + 1), range(of_second + 1)):
        did, everyone = first + second, of_first + of_second
        ways = {
            some: comb(of_first, some) * comb(of_second, did - some)
            for some in range(max(0, did - of_second), min(did, of_first) + 1)
        }
        exact = sum(number for number in ways.values() if number <= ways[first]) / comb(everyone, did)
        assert by_chance(first, of_first, second, of_second) == pytest.approx(exact)


def test_who_got_which_subject_unsubscribed_and_answered_is_counted_and_nobody_else(town: Town):
    event = town.event()
    members = [town.member("bromma") for _ in range(20)]
    town.write(text=a_file(subject='["Ett", "Två"]', front=f"event = '{event}'"))
    town.approve()
    with db.reading(town.engine) as session, pytest.raises(Mistake, match="Nothing of sommar has been sent"):
        groups(session, book.find(session, "sommar"), "sv")
    send_now(town.post, "sommar", MOMENT)
    town.settle(DeliveryState.SENT)
    stranger, early = town.member("bromma"), members[0]
    with db.writing(town.engine) as session:
        book.mailing_of(session, book.find(session, "sommar")).started_at = MOMENT
        consent.withdraw(session, early, publication="weekly", source="link", now=MOMENT - timedelta(days=1))
        for member in (*members[1:4], stranger):
            consent.withdraw(session, member, publication="weekly", source="link", now=MOMENT + timedelta(days=1))
        consent.withdraw(session, members[4], publication="weekly", source="link", now=MOMENT + timedelta(days=15))
        for member in (*members[5:10], stranger):
            wish = Wish(Answer.YES)
            answers.give(session, session.get_one(Event, event), member, wish, now=MOMENT + timedelta(hours=1))

    with db.reading(town.engine) as session:
        first, second = groups(session, book.find(session, "sommar"), "sv")

    assert (first.subject, second.subject) == ("Ett", "Två")
    assert first.members + second.members == 20
    assert first.did[Deed.UNSUBSCRIBED] + second.did[Deed.UNSUBSCRIBED] == 3
    assert [first.did[deed] + second.did[deed] for deed in (Deed.YES, Deed.MAYBE, Deed.NO)] == [5, 0, 0]


@pytest.mark.parametrize(("language", "called"), [("sv", ["Ett", "Två"]), ("en", ["One", "Two"])])
def test_subjects_are_called_as_the_office_speaks_whoever_got_the_first_letter(
    town: Town, language: str, called: list[str]
):
    for spoken in ("en", "sv") * 10:
        town.member("bromma", language=spoken)
    english = '\n+++ en\nsubject = ["One", "Two"]\n+++\nHello!\n'
    town.write(text=a_file(subject='["Ett", "Två"]') + english)
    town.approve()
    send_now(town.post, "sommar", MOMENT)
    with db.writing(town.engine) as session:
        book.mailing_of(session, book.find(session, "sommar")).started_at = MOMENT

    with db.reading(town.engine) as session:
        assert [group.subject for group in groups(session, book.find(session, "sommar"), language)] == called
