from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import Mistake
from mailer.events.attendance import Answer, Room, Standing, Wish, decide, promoted, require_open
from tests.mailer.events.saying import a_rally, a_shift

NOW = datetime(2027, 4, 20, 9, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)


def coming(companions: int = 0) -> Standing:
    return Standing(Wish(Answer.YES, companions), waiting=False, since=EARLIER)


def waiting(companions: int = 0) -> Standing:
    return Standing(Wish(Answer.YES, companions), waiting=True, since=EARLIER)


def test_a_yes_gets_a_place_while_there_is_one_and_waits_after_that():
    for taken, waits in ((0, False), (37, False), (38, True), (40, True)):
        assert decide(Wish(Answer.YES, 2), None, Room(40, taken, queue=False), now=NOW).waiting is waits


def test_where_any_number_can_come_nobody_waits():
    assert decide(Wish(Answer.YES, 20), None, Room(None, 10**6, queue=False), now=NOW).coming


def test_nobody_overtakes_those_who_wait():
    assert decide(Wish(Answer.YES), None, Room(40, 38, queue=True), now=NOW).waiting
    with pytest.raises(Mistake, match="no room for more companions"):
        decide(Wish(Answer.YES, 1), coming(), Room(40, 10, queue=True), now=NOW)


def test_who_has_a_place_keeps_it_and_may_come_with_fewer_also_when_the_room_has_shrunk():
    full = Room(2, 10, queue=True)

    assert decide(Wish(Answer.YES, 1), coming(1), full, now=NOW) == coming(1)
    assert decide(Wish(Answer.YES), coming(1), full, now=NOW) == coming()


def test_who_waits_keeps_the_place_in_the_queue_whatever_they_bring():
    after = decide(Wish(Answer.YES, 5), waiting(), Room(40, 0, queue=False), now=NOW)

    assert (after.waiting, after.since) == (True, EARLIER)


def test_who_said_no_and_then_yes_stands_last():
    left = decide(Wish(Answer.NO, 3), waiting(3), Room(40, 40, queue=True), now=NOW)
    back = decide(Wish(Answer.YES), left, Room(40, 40, queue=True), now=NOW)

    assert left == Standing(Wish(Answer.NO), waiting=False, since=NOW)
    assert (back.waiting, back.since) == (True, NOW)


def test_a_party_that_never_fits_is_told_so():
    with pytest.raises(Mistake, match="room for 3 in all"):
        decide(Wish(Answer.YES, 3), None, Room(3, 0, queue=False), now=NOW)


@pytest.mark.parametrize("companions", [-1, 21, 10**9])
def test_companions_have_a_measure(companions: int):
    with pytest.raises(Mistake, match="up to 20"):
        decide(Wish(Answer.YES, companions), None, Room(None, 0, queue=False), now=NOW)


def test_the_first_in_the_queue_that_does_not_fit_holds_up_those_behind():
    assert promoted(10, 7, [(1, 2), (2, 2), (3, 1)]) == [1]
    assert promoted(10, 7, [(1, 4), (2, 1)]) == []
    assert promoted(None, 7, [(1, 4), (2, 1)]) == [1, 2]
    assert promoted(5, 7, [(1, 1)]) == []


@given(
    capacity=st.integers(1, 30),
    wishes=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(Answer)), st.integers(0, 4)), max_size=40),
)
def test_whatever_is_answered_no_more_come_than_there_is_room_for_and_in_order(
    capacity: int, wishes: list[tuple[int, Answer, int]]
):
    book: dict[int, Standing] = {}
    for step, (member, answer, companions) in enumerate(wishes):
        others = [standing for who, standing in book.items() if who != member]
        taken = sum(standing.wish.people for standing in others if standing.coming)
        room = Room(capacity, taken, queue=any(standing.waiting for standing in others))
        try:
            book[member] = decide(Wish(answer, companions), book.get(member), room, now=NOW + timedelta(minutes=step))
        except Mistake:
            continue
        queue = sorted((one.since, who, one.wish.people) for who, one in book.items() if one.waiting)
        taken = sum(one.wish.people for one in book.values() if one.coming)
        got = promoted(capacity, taken, [(who, people) for _, who, people in queue])
        assert got == [who for _, who, _ in queue][: len(got)]
        for who in got:
            book[who] = Standing(book[who].wish, waiting=False, since=book[who].since)
        assert sum(one.wish.people for one in book.values() if one.coming) <= capacity
        if any(one.waiting for one in book.values()):  # the first of them does not fit
            first = min((one.since, who, one.wish.people) for who, one in book.items() if one.waiting)
            assert sum(one.wish.people for one in book.values() if one.coming) + first[2] > capacity


def test_nobody_answers_to_what_was_cancelled_or_has_begun_but_to_a_campaign_until_its_end():
    rally, campaign = a_rally(), a_rally(shifts=(a_shift(),))
    require_open(rally, cancelled=False, now=NOW)
    require_open(campaign, cancelled=False, now=rally.starts_at)
    for details, cancelled, now in (
        (rally, True, NOW),
        (rally, False, rally.starts_at),
        (campaign, False, rally.ends_at),
    ):
        with pytest.raises(Mistake):
            require_open(details, cancelled=cancelled, now=now)
