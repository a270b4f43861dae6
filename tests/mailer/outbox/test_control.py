from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from mailer import db
from mailer.errors import AddressRefused, Mistake, Unanswered
from mailer.message import Message
from mailer.outbox import control
from mailer.outbox.models import DeliveryState, MailingState
from mailer.outbox.status import status
from mailer.pace import Pace
from mailer.providers import Outcome
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, deliveries, send, states, the_mailing

SENT, FAILED, QUEUED = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.QUEUED
CANCELLED, UNCERTAIN = DeliveryState.CANCELLED, DeliveryState.UNCERTAIN
TWO_DAYS = timedelta(days=2)


def mixed(message: Message) -> Outcome:
    """m1 is accepted, m2 refused, m3 not answered; the others are accepted."""
    answers: dict[str, Outcome] = {
        "m2@example.org": AddressRefused("550 no", code="550"),
        "m3@example.org": Unanswered("gone"),
    }
    return answers.get(message.recipient) or accept(message)


def change(engine: sa.Engine, what: Callable[[Connection], object]) -> None:
    with db.writing(engine) as session:
        what(session.connection())


def test_status_shows_the_equation(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4)
    send(an_office(engine, journals, FakeProvider(mixed), now=clock))

    with db.reading(engine) as session:
        [found] = status(session.connection())

    assert (found.candidates, found.sent, found.failed, found.cancelled, found.uncertain) == (4, 2, 1, 0, 1)
    assert found.balanced
    assert found.state == "done"


def test_a_mailing_with_queued_deliveries_is_not_balanced(engine: sa.Engine):
    a_mailing(engine, 4)
    with db.reading(engine) as session:
        [found] = status(session.connection(), KEY)

    assert (found.queued, found.balanced) == (4, False)


def test_an_unknown_mailing_is_named_with_what_to_do(engine: sa.Engine):
    with db.reading(engine) as session, pytest.raises(Mistake, match="outbox status"):
        status(session.connection(), "weekly:2099-W01")


def test_a_paused_mailing_is_not_sent_until_it_is_resumed(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 2)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock)
    change(engine, lambda connection: control.pause(connection, KEY))
    send(office)
    assert provider.accepted == []

    change(engine, lambda connection: control.resume(connection, KEY, now=clock()))
    send(office)

    assert len(provider.accepted) == 2


def test_only_what_is_being_sent_can_be_paused(engine: sa.Engine):
    a_mailing(engine, 1)
    change(engine, lambda connection: control.pause(connection, KEY))

    with pytest.raises(Mistake, match="paused"):
        change(engine, lambda connection: control.pause(connection, KEY))


def test_a_mailing_held_for_being_late_is_sent_when_a_person_resumes_it(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 1, late_at=clock() - timedelta(hours=1))
    office = an_office(engine, journals, FakeProvider(), now=clock)
    send(office)
    assert the_mailing(engine).state is MailingState.HELD

    change(engine, lambda connection: control.resume(connection, KEY, now=clock()))
    send(office)

    assert the_mailing(engine).state is MailingState.DONE


def test_cancelling_in_the_middle_leaves_the_sent_sent_and_cancels_the_rest(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 60, batch=2)
    provider = FakeProvider()

    def cancel() -> None:
        if len(provider.accepted) == 5:
            change(engine, lambda connection: control.cancel(connection, KEY))

    provider.between = cancel
    office = an_office(engine, journals, provider, now=clock)
    send(office)
    send(office)  # the next worker tidies up what the first had in hand

    assert len(provider.accepted) == 5
    with db.reading(engine) as session:
        [found] = status(session.connection())
    assert (found.state, found.sent, found.cancelled, found.queued) == ("cancelled", 5, 55, 0)
    assert found.balanced
    assert deliveries(engine)[60].code == "mailing"


def test_what_is_over_cannot_be_cancelled(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1)
    send(an_office(engine, journals, FakeProvider(), now=clock))

    with pytest.raises(Mistake, match="done"):
        change(engine, lambda connection: control.cancel(connection, KEY))


def test_retrying_takes_only_the_failed_and_from_their_first_attempt(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4)
    provider = FakeProvider(mixed)
    office = an_office(engine, journals, provider, now=clock)
    send(office)
    provider.script = accept
    provider.accepted.clear()

    change(engine, lambda connection: control.retry_failed(connection, KEY, give_up_after=TWO_DAYS, now=clock()))
    assert states(engine) == {1: SENT, 2: QUEUED, 3: UNCERTAIN, 4: SENT}
    assert the_mailing(engine).state is MailingState.PLANNED
    send(office)

    assert provider.addresses == ["m2@example.org"]
    assert states(engine) == {1: SENT, 2: SENT, 3: UNCERTAIN, 4: SENT}
    assert deliveries(engine)[2].attempts == 1
    assert the_mailing(engine).state is MailingState.DONE


def test_a_cancelled_mailing_is_not_tried_again(engine: sa.Engine):
    a_mailing(engine, 1)
    change(engine, lambda connection: control.cancel(connection, KEY))

    with pytest.raises(Mistake, match="cancelled"):
        change(engine, lambda connection: control.retry_failed(connection, KEY, give_up_after=TWO_DAYS, now=Clock()()))


def test_an_uncertain_delivery_is_sent_again_only_when_a_person_says_so_and_as_the_same_bytes(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 4)
    started: list[Message] = []

    def unanswered(message: Message) -> Outcome:
        started.append(message)
        return mixed(message)

    provider = FakeProvider(unanswered)
    office = an_office(engine, journals, provider, now=clock)
    send(office)
    provider.script, provider.accepted = accept, []
    clock.forward(timedelta(days=1))
    send(office)
    assert provider.accepted == []

    change(
        engine,
        lambda connection: control.resend_uncertain(connection, KEY, [3], give_up_after=TWO_DAYS, now=clock()),
    )
    send(office)

    assert provider.accepted == [message for message in started if message.recipient == "m3@example.org"]
    assert states(engine)[3] is SENT


def test_a_person_settles_what_is_uncertain(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4)
    send(an_office(engine, journals, FakeProvider(mixed), now=clock))

    with pytest.raises(Mistake, match="Delivery 1 is not"):
        change(engine, lambda connection: control.settle_uncertain(connection, KEY, [1], state=SENT, now=clock()))
    change(engine, lambda connection: control.settle_uncertain(connection, KEY, [], state=SENT, now=clock()))

    assert states(engine) == {1: SENT, 2: FAILED, 3: SENT, 4: SENT}
    assert deliveries(engine)[3].code == "person"


def test_what_fails_again_meanwhile_is_not_taken_twice(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4)
    office = an_office(engine, journals, FakeProvider(mixed), now=clock)
    send(office)
    begun = clock()
    taken: list[int] = []

    def again(connection: Connection) -> None:
        taken.append(control.retry_failed(connection, KEY, give_up_after=TWO_DAYS, now=begun))

    change(engine, again)
    clock.forward(timedelta(seconds=1))
    send(office)
    change(engine, again)

    assert taken == [1, 0]
    assert the_mailing(engine).state is MailingState.DONE


def test_a_mailing_not_sent_whole_in_time_is_held_and_a_person_may_send_the_rest(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 4)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock, pace=Pace(per_day=3))
    send(office)
    assert the_mailing(engine).send_by == clock() + timedelta(days=7)

    clock.forward(timedelta(days=7, seconds=1))
    send(office)
    assert the_mailing(engine).state is MailingState.HELD
    assert the_mailing(engine).reason == control.UNFINISHED
    assert len(provider.accepted) == 3

    change(engine, lambda connection: control.resume(connection, KEY, now=clock()))
    send(office)
    assert the_mailing(engine).state is MailingState.DONE


def test_trying_again_what_failed_is_not_late(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 2)
    send(an_office(engine, journals, FakeProvider(lambda _: AddressRefused("550 no", code="550")), now=clock))
    clock.forward(timedelta(days=30))

    change(engine, lambda c: control.retry_failed(c, KEY, give_up_after=TWO_DAYS, now=clock()))
    send(an_office(engine, journals, FakeProvider(), now=clock))

    assert set(states(engine).values()) == {SENT}
