from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import Mistake
from mailer.events.details import Shift
from mailer.events.rota import Post, redraw, taken_from
from tests.mailer.events.saying import a_rally, a_shift

BEFORE = a_rally().starts_at - timedelta(days=1)


def a_post(number: int = 1, holders: tuple[int, ...] = (), offering: tuple[int, ...] = (), **shift: object) -> Post:
    return Post(number, a_shift(**shift), frozenset(holders), offering)  # type: ignore[arg-type]  # the test's own


def test_a_free_shift_is_nobodys_and_an_offered_one_changes_hands_before_that():
    assert taken_from(a_post(holders=(2, 3)), 1, [], now=BEFORE) is None
    assert taken_from(a_post(holders=(2, 3), offering=(3, 2)), 1, [], now=BEFORE) == 3
    assert taken_from(a_post(holders=(2,), offering=(2,), needs=1), 1, [], now=BEFORE) == 2


@pytest.mark.parametrize(
    ("post", "own", "words"),
    [
        (a_post(holders=(2,), needs=1), [], "faster"),
        (a_post(holders=(1,)), [], "already"),
        (a_post(), [a_post(2, place="Elsewhere", hour=13)], "another shift at that time"),
        (a_post(), [], "begun"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_a_sentence(post: Post, own: list[Post], words: str):
    now = post.shift.starts_at if words == "begun" else BEFORE
    with pytest.raises(Mistake, match=words):
        taken_from(post, 1, own, now=now)


def test_two_shifts_on_end_can_both_be_taken():
    assert taken_from(a_post(hour=12), 1, [a_post(2, hour=14), a_post(3, hour=10)], now=BEFORE) is None


def test_a_shift_that_moves_keeps_its_people_and_one_that_is_left_out_is_gone():
    stays, moves, leaves = a_shift(8, place="A"), a_shift(12, place="B"), a_shift(16, place="C")
    later = replace(moves, starts_at=moves.starts_at + timedelta(hours=1), ends_at=moves.ends_at + timedelta(hours=1))
    new = a_shift(20, place="D")

    redrawn = redraw([(1, stays), (2, moves), (3, leaves)], [later, replace(stays, needs=9), new])

    assert redrawn.kept == {1: replace(stays, needs=9), 2: later}
    assert redrawn.new == (new,)
    assert redrawn.gone == {3}


def test_a_shift_that_is_held_elsewhere_at_the_same_hours_is_the_same():
    assert redraw([(1, a_shift(place="A"))], [a_shift(place="B")]).kept == {1: a_shift(place="B")}


def test_where_it_is_in_doubt_which_was_moved_where_none_is():
    known = [(1, a_shift(8, place="A")), (2, a_shift(12, place="A"))]

    redrawn = redraw(known, [a_shift(10, place="A"), a_shift(14, place="A")])

    assert (redrawn.kept, redrawn.gone, len(redrawn.new)) == ({}, {1, 2}, 2)


SHIFTS = st.lists(
    st.builds(a_shift, hour=st.integers(0, 20), needs=st.integers(1, 3), place=st.sampled_from("AB")), max_size=6
)


@given(known=SHIFTS, said=SHIFTS)
def test_whatever_is_said_each_shift_is_there_once_and_the_same_said_again_changes_nothing(
    known: list[Shift], said: list[Shift]
):
    redrawn = redraw(list(enumerate(known)), said)

    after = [*redrawn.kept.values(), *redrawn.new]
    assert sorted(after, key=repr) == sorted(said, key=repr)
    assert redrawn.kept.keys() | redrawn.gone == set(range(len(known)))
    assert not redrawn.kept.keys() & redrawn.gone
    again = redraw(list(enumerate(after)), said)
    assert (again.new, again.gone) == ((), frozenset())
