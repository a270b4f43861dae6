from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import AddressRefused, MessageRefused, SendError, TryLater, Unanswered
from mailer.outbox.models import DeliveryState
from mailer.outbox.verdicts import AFTER_GREYLISTING, FIRST_RETRY, LONGEST_WAIT, Attempt, judge
from mailer.providers import Receipt
from subscribers.recipient import Recipient
from subscribers.sealed import seal
from tests.builders import MOMENT


def an_attempt(attempts: int = 0, ticket: int = 1, **values: object) -> Attempt:
    defaults: dict[str, object] = {"at": MOMENT, "give_up_at": MOMENT + timedelta(days=2)}
    return Attempt(ticket=ticket, attempts=attempts, **(defaults | values))  # type: ignore[arg-type]  # the test's own


def wait(error: TryLater, **values: object) -> timedelta:
    verdict = judge(error, an_attempt(**values))  # type: ignore[arg-type]  # the test's own
    assert verdict.state is DeliveryState.QUEUED
    assert verdict.due_at is not None
    return verdict.due_at - MOMENT


@given(st.integers(1, 2**40), st.integers(0, 200))
def test_each_wait_is_twice_the_last_spread_by_up_to_a_quarter_and_never_beyond_the_longest(ticket: int, attempts: int):
    base = min(FIRST_RETRY * 2 ** min(attempts, 16), LONGEST_WAIT)
    assert base <= wait(TryLater("busy"), ticket=ticket, attempts=attempts) < base * 1.25


def test_the_same_attempt_at_the_same_mail_waits_equally_long_whoever_asks():
    assert wait(TryLater("busy"), ticket=7) == wait(TryLater("busy"), ticket=7)
    assert len({wait(TryLater("busy"), ticket=ticket) for ticket in range(100)}) > 50
    first, second = wait(TryLater("busy"), ticket=7), wait(TryLater("busy"), ticket=7, attempts=1)
    assert second != 2 * first  # two that met once do not meet each time


@pytest.mark.parametrize("answer", ["Greylisted, try again", "4.7.1 Grey-listing in action", "graylist"])
def test_a_greylisting_server_is_given_five_minutes(answer: str):
    assert wait(TryLater(answer)) >= AFTER_GREYLISTING


@given(st.integers(1, 2**40), st.integers(0, 3))
def test_a_servers_own_hint_is_heeded_and_spread(ticket: int, attempts: int):
    hint = timedelta(seconds=90)

    assert hint <= wait(TryLater("busy", retry_after=hint), ticket=ticket, attempts=attempts) < hint * 1.25


def test_an_absurd_hint_neither_makes_us_hammer_nor_loses_the_letter():
    at_once, never = TryLater("busy", retry_after=timedelta(0)), TryLater("busy", retry_after=timedelta(days=9))

    assert timedelta(seconds=1) <= wait(at_once)
    assert FIRST_RETRY <= wait(at_once, attempts=9) < FIRST_RETRY * 1.25
    assert LONGEST_WAIT <= wait(never) < LONGEST_WAIT * 1.25


def test_a_next_turn_after_the_deadline_is_a_failure_with_the_last_answer():
    verdict = judge(TryLater("451 busy", code="451"), an_attempt(give_up_at=MOMENT + timedelta(seconds=59)))

    assert (verdict.state, verdict.due_at, verdict.answer) == (DeliveryState.FAILED, None, "451 busy")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Receipt("250 Ok"), DeliveryState.SENT),
        (AddressRefused("550 no"), DeliveryState.FAILED),
        (MessageRefused("554 no"), DeliveryState.FAILED),
        (Unanswered("gone"), DeliveryState.UNCERTAIN),
    ],
)
def test_each_outcome_has_its_state(outcome: Receipt | SendError, state: DeliveryState):
    assert judge(outcome, an_attempt()).state is state


def test_no_address_and_no_overlong_answer_is_kept():
    answer = "550 5.1.1 <anna.berg@example.org>: anna.berg unknown " + "x" * 1000
    verdict = judge(AddressRefused(answer, code="550"), an_attempt(address="anna.berg@example.org"))

    assert verdict.answer is not None
    assert "anna.berg" not in verdict.answer
    assert len(verdict.answer) == 500


def test_a_server_that_knows_the_name_does_not_bring_it_into_the_books():
    names = a_recipient_named("Anna", "Åström").words()
    answer = "550 5.1.1 unknown user Anna ÅSTRÖM (annandag is no name)"

    verdict = judge(AddressRefused(answer, code="550"), an_attempt(address="post@example.org", names=names))

    assert verdict.answer == "550 5.1.1 unknown user [address] [address] (annandag is no name)"


def test_a_hostile_answer_cannot_drive_the_terminal_it_is_shown_on():
    verdict = judge(MessageRefused("554 \x1b]0;evil\x07 no\r\nsecond", code="554\x1b"), an_attempt())

    assert (verdict.code, verdict.answer) == ("554", "554 ]0;evil no second")


def a_recipient_named(given_name: str, family_name: str) -> Recipient:
    return Recipient(1, "post@example.org", given_name, "sv", seal(family_name, "member.family_name"))
