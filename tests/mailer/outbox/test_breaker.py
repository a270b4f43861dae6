"""When a provider is left alone, by all workers, and how it is tried again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, TryLater, Unanswered
from mailer.message import Message
from mailer.outbox import breaker, carriers
from mailer.outbox.breaker import IN_A_ROW, TRIAL, Rest, speaks_of_us, works
from mailer.outbox.models import DeliveryState
from mailer.outbox.states import BreakerState
from mailer.providers import Desk, Outcome, Receipt
from tests.builders import MOMENT
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import Clock, a_mailing, an_office, deliveries, send, states

SENT, FAILED, QUEUED, UNCERTAIN = (
    DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.QUEUED, DeliveryState.UNCERTAIN
)  # fmt: skip
BLOCKED = MessageRefused("550 5.7.1 our policy", code="5.7.1")


def rests(engine: sa.Engine) -> dict[str, Rest]:
    with db.reading(engine) as session:
        return carriers.resting(session.connection())


def counted(script: Callable[[Message], Outcome], calls: list[str]) -> Callable[[Message], Outcome]:
    def counting(message: Message) -> Outcome:
        calls.append(message.recipient)
        return script(message)

    return counting


@pytest.mark.parametrize(
    ("outcome", "of_us"),
    [
        (TryLater("421 4.7.0 too many", code="4.7.0"), True),
        (TryLater("The server closed: 421 go away"), True),
        (TryLater("421 busy", code="421"), True),
        (MessageRefused("550 5.7.26 unauthenticated", code="5.7.26"), True),
        (MessageRefused("550 5.7.1 blocked", code="5.7.1"), True),
        (TryLater("454 4.4.5 quota", code="4.4.5"), True),
        (TryLater("450 4.7.1 Greylisted, come again", code="4.7.1"), False),
        (TryLater("452 4.2.2 mailbox full", code="4.2.2"), False),
        (AddressRefused("550 5.7.1 no such user", code="5.7.1"), False),  # the provider judged: it is the address
        (MessageRefused("552 5.3.4 too big", code="5.3.4"), False),
        (Unanswered("gone"), False),
        (Receipt("250 2.0.0 queued as 421"), False),
    ],
)
def test_what_would_meet_any_other_letter_too_speaks_of_us(outcome: Outcome, of_us: bool):  # noqa: FBT001  the expectation
    assert speaks_of_us(outcome) is of_us


@pytest.mark.parametrize(
    ("outcome", "useful"),
    [
        (Receipt("250 Ok"), True),
        (AddressRefused("550 5.1.1 unknown", code="5.1.1"), True),
        (TryLater("452 4.2.2 full", code="4.2.2"), True),
        (TryLater("The connection was lost."), False),
        (TryLater("421 busy", code="421"), False),
        (Unanswered("gone"), False),
        (ProviderDown("no login"), False),
    ],
)
def test_a_provider_works_when_it_has_judged_a_letter(outcome: Outcome, useful: bool):  # noqa: FBT001  the expectation
    assert works(outcome) is useful


def test_each_rest_is_twice_the_last_and_at_most_a_quarter_of_an_hour():
    rest, now, minutes = None, MOMENT, []
    for _ in range(6):
        rest = breaker.lie_down(rest, ProviderDown("no connection"), now)
        minutes.append(rest.length.total_seconds() / 60)
        now = rest.until

    assert minutes == [1, 2, 4, 8, 15, 15]
    assert rest is not None
    assert rest.since == MOMENT


def test_two_workers_that_tell_of_the_same_trouble_make_it_no_longer():
    first = breaker.lie_down(None, ProviderDown("no connection"), MOMENT)

    assert breaker.lie_down(first, ProviderDown("no connection"), MOMENT + timedelta(seconds=2)) == first


def test_a_provider_that_is_down_rests_longer_each_time_and_nothing_is_lost(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)
    provider = FakeProvider()
    provider.down = ProviderDown("no connection")
    minutes = []
    for _ in range(4):
        send(an_office(engine, journals, provider, now=clock))  # each time another worker: the rest is in the database
        rest = rests(engine)["provider1"]
        minutes.append(rest.length.total_seconds() / 60)
        clock.at = rest.until
    assert minutes == [1, 2, 4, 8]
    assert set(states(engine).values()) == {QUEUED}

    provider.down = None
    send(an_office(engine, journals, provider, now=clock))

    assert set(states(engine).values()) == {SENT}
    assert {row.attempts for row in deliveries(engine).values()} == {1}
    assert rests(engine) == {}


def test_a_resting_provider_is_asked_by_no_worker(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    down, up = FakeProvider(), FakeProvider()
    down.down = ProviderDown("no connection")
    send(an_office(engine, journals, down, now=clock))

    clock.forward(timedelta(seconds=59))
    send(an_office(engine, journals, up, now=clock))

    assert up.accepted == []


@pytest.mark.parametrize("refusal", [BLOCKED, TryLater("421 4.7.0 slow down", code="4.7.0")])
def test_one_that_refuses_letter_after_letter_is_spared_the_rest(
    engine: sa.Engine, journals: Path, clock: Clock, refusal: MessageRefused | TryLater
):
    a_mailing(engine, 3 * IN_A_ROW)
    calls: list[str] = []
    provider = FakeProvider(counted(lambda _: refusal, calls))

    send(an_office(engine, journals, provider, now=clock))

    assert len(calls) == IN_A_ROW
    rest = rests(engine)["provider1"]
    assert (rest.state, rest.refused) == (BreakerState.OPEN, True)
    assert refusal.detail in str(rest.reason)
    assert list(states(engine).values()).count(QUEUED) >= 2 * IN_A_ROW


def test_the_next_provider_takes_over_from_one_that_refuses_but_not_what_was_refused(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, IN_A_ROW + 5)
    second = FakeProvider()

    send(an_office(engine, journals, FakeProvider(lambda _: BLOCKED), second, now=clock))

    assert len(second.accepted) == 5
    assert list(states(engine).values()).count(FAILED) == IN_A_ROW


def test_refusals_between_acceptances_open_nothing(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4 * IN_A_ROW)

    def script(message: Message) -> Outcome:
        return accept(message) if message.recipient.endswith("0@example.org") else BLOCKED

    send(an_office(engine, journals, FakeProvider(script), now=clock))

    assert rests(engine) == {}
    assert list(states(engine).values()).count(SENT) == 4


def test_after_its_rest_one_letter_of_one_worker_tries_it(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3 * IN_A_ROW)
    calls: list[str] = []
    provider = FakeProvider(counted(lambda _: BLOCKED, calls))
    send(an_office(engine, journals, provider, now=clock))
    clock.forward(timedelta(minutes=1))
    calls.clear()

    send(an_office(engine, journals, provider, now=clock))
    send(an_office(engine, journals, provider, now=clock))

    assert len(calls) == 1
    assert rests(engine)["provider1"].length == timedelta(minutes=2)


def test_while_one_worker_tries_the_others_wait_and_may_when_it_is_not_heard_of(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)
    with db.writing(engine) as session:
        connection = session.connection()
        carriers.lie_down(connection, "provider1", ProviderDown("no connection"), now=clock())
        clock.forward(timedelta(minutes=1))
        assert carriers.claim_trial(connection, "provider1", now=clock())
        assert not carriers.claim_trial(connection, "provider1", now=clock())
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))
    assert provider.accepted == []

    clock.forward(TRIAL)
    send(an_office(engine, journals, provider, now=clock))
    assert len(provider.accepted) == 3
    assert rests(engine) == {}


def test_a_trial_without_an_answer_is_uncertain_once_and_rests_on(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    provider = FakeProvider()
    provider.down = ProviderDown("no connection")
    send(an_office(engine, journals, provider, now=clock))
    clock.forward(timedelta(minutes=1))
    provider.down, provider.script = None, lambda _: Unanswered("gone")

    send(an_office(engine, journals, provider, now=clock))

    assert [state for _, state in sorted(states(engine).items())] == [UNCERTAIN, QUEUED, QUEUED]
    assert rests(engine)["provider1"].length == timedelta(minutes=2)


class Slow(FakeProvider):
    """Takes a tenth of a second for each letter."""

    async def carry(self, desk: Desk) -> None:
        while (outgoing := desk.take()) is not None:
            await asyncio.sleep(0.1)
            self._send(desk, outgoing)


def test_a_worker_stops_when_another_finds_the_provider_down(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 60)
    provider = Slow()

    def find_it_down() -> None:
        if len(provider.accepted) == 3:
            with db.writing(engine) as session:
                carriers.lie_down(session.connection(), "provider1", ProviderDown("no connection"), now=clock())

    provider.between = find_it_down
    send(an_office(engine, journals, provider, now=clock))

    assert 3 <= len(provider.accepted) < 60
    assert rests(engine)["provider1"].length == timedelta(minutes=1)
    assert list(states(engine).values()).count(QUEUED) == 60 - len(provider.accepted)
