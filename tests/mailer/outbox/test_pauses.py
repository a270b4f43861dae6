"""A worker in trouble looks again soon, and then less and less often."""

from mailer.outbox.pauses import LONGEST, Pauses


def test_a_short_trouble_is_over_soon_and_a_long_one_is_not_asked_about_all_the_time():
    pauses = Pauses()

    waits = [pauses.next() for _ in range(8)]
    assert waits[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert waits[6:] == [LONGEST, LONGEST]

    pauses.all_is_well()
    assert pauses.next() == 0.1
