"""How connections are shared out: never too many, whatever the order in which workers come, settle and go."""

from hypothesis import given
from hypothesis import strategies as st

from mailer.outbox.sharing import Claim, may_have, part_of

WORKERS = st.sampled_from("abcde")
STEPS = st.lists(st.tuples(WORKERS, st.sampled_from(["settle", "settle", "settle", "go"])), max_size=60)


def settle(worker: str, held: dict[str, int], limit: int) -> None:
    """As a worker does: what is too much is closed first, and then it says what it has."""
    claim = Claim(worker, limit)
    opened = min(held.get(worker, 0), may_have(claim, held))
    held[worker] = may_have(Claim(worker, limit, opened), held)


@given(st.integers(1, 30), STEPS)
def test_there_are_never_more_than_allowed_and_in_the_end_all_have_their_part(limit: int, steps: list[tuple[str, str]]):
    held: dict[str, int] = {}
    for worker, what in steps:
        if what == "go":
            held.pop(worker, None)
        else:
            settle(worker, held, limit)
        assert sum(held.values()) <= limit

    for worker in 2 * sorted(held):
        settle(worker, held, limit)
    assert held == {worker: part_of(Claim(worker, limit), held) for worker in held}
    assert sum(held.values()) == (limit if held else 0)
    assert not held or max(held.values()) - min(held.values()) <= 1


def test_with_more_workers_than_connections_the_last_have_none():
    held = dict.fromkeys("abc", 0)

    assert [part_of(Claim(worker, 2), held) for worker in "abc"] == [1, 1, 0]
