"""What follows from what came back."""

from datetime import timedelta

import pytest

from mailer.feedback.causes import Cause
from mailer.feedback.policy import Action, Run, Strike, decide, outages, stop_reason
from tests.builders import MOMENT

DAY = timedelta(days=1)


def strikes(*days_and_causes: tuple[float, Cause]) -> list[Strike]:
    """Return strikes on these days, each of a mailing of its own."""
    return [Strike(MOMENT + day * DAY, number, cause) for number, (day, cause) in enumerate(days_and_causes, 1)]


def weeks(count: int, cause: Cause) -> list[Strike]:
    return strikes(*((7.0 * week, cause) for week in range(count)))


@pytest.mark.parametrize("cause", [Cause.UNKNOWN_USER, Cause.NO_MAIL_HERE, Cause.MOVED])
def test_a_dead_mailbox_is_given_up_at_once(cause: Cause) -> None:
    assert decide(strikes((0, cause)), arrived=None) is Action.SUPPRESS


@pytest.mark.parametrize(
    ("days", "action"), [((0,), "count"), ((0, 0.5), "count"), ((0, 1), "suppress"), ((0, 0.5, 30), "suppress")]
)
def test_an_unknown_host_needs_a_second_strike_after_a_day(days: tuple[float, ...], action: str) -> None:
    assert decide(strikes(*((day, Cause.UNKNOWN_HOST) for day in days)), arrived=None) == action


@pytest.mark.parametrize(
    ("days", "action"), [((0,), "count"), ((0, 7), "count"), ((0, 7, 14), "suppress"), ((0, 20, 40), "count")]
)
def test_a_disabled_mailbox_needs_three_in_a_month(days: tuple[float, ...], action: str) -> None:
    assert decide(strikes(*((day, Cause.DISABLED) for day in days)), arrived=None) == action


@pytest.mark.parametrize("cause", [Cause.FULL, Cause.FILTERED, Cause.EXPIRED, Cause.NETWORK, Cause.UNCLEAR])
def test_soft_counts_by_mailings_and_days(cause: Cause) -> None:
    assert decide(weeks(4, cause), arrived=None) is Action.COUNT  # four mailings, but 21 days
    assert decide(weeks(5, cause), arrived=None) is Action.SUPPRESS
    at_once = [Strike(MOMENT + 30 * DAY * (n == 4), 1, cause) for n in range(5)]
    assert decide(at_once, arrived=None) is Action.COUNT  # one mailing, however often


def test_what_arrived_resets_the_count() -> None:
    assert decide(weeks(5, Cause.FULL), arrived=MOMENT + 10 * DAY) is Action.COUNT
    assert decide(weeks(8, Cause.FULL), arrived=MOMENT + 10 * DAY) is Action.SUPPRESS


def test_what_arrived_does_not_save_a_mailbox_that_died_later() -> None:
    assert decide(strikes((5, Cause.UNKNOWN_USER)), arrived=MOMENT) is Action.SUPPRESS


@pytest.mark.parametrize("cause", [Cause.BLOCKED, Cause.CONTENT])
def test_our_own_fault_never_counts_against_a_member(cause: Cause) -> None:
    assert decide(weeks(20, cause), arrived=None) is Action.ALARM
    assert decide([*weeks(20, cause), Strike(MOMENT + 200 * DAY, 99, Cause.FULL)], arrived=None) is Action.COUNT


def test_information_is_nothing() -> None:
    assert decide(weeks(9, Cause.INFORMATION), arrived=None) is Action.NOTHING


def test_when_a_host_loses_many_mailboxes_at_once_it_is_their_outage() -> None:
    hard = {b"big": 25, b"small": 19, b"huge": 400}

    assert outages(hard, 1_000) == {b"huge"}
    assert outages(hard, 300) == {b"huge", b"big"}
    assert outages(hard, 0) == {b"huge", b"big"}  # a handful is never one, whatever its share


@pytest.mark.parametrize(
    ("run", "stops"),
    [
        (Run(sent=1000, bounced=50, complaints=0), False),
        (Run(sent=1000, bounced=51, complaints=0), True),
        (Run(sent=100, bounced=19, complaints=0), False),  # too few to tell
        (Run(sent=10_000, bounced=0, complaints=10), False),
        (Run(sent=10_000, bounced=0, complaints=11), True),
        (Run(sent=200, bounced=0, complaints=2), False),
        (Run(sent=1000, bounced=0, complaints=0, faults=50), False),
        (Run(sent=1000, bounced=0, complaints=0, faults=51), True),
        (Run(sent=0, bounced=0, complaints=0, faults=19), False),
    ],
)
def test_a_mailing_stops_when_too_much_comes_back(run: Run, *, stops: bool) -> None:
    assert (stop_reason(run) is not None) is stops
