import asyncio
import email
import email.policy
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, Trouble, TryLater, Unanswered
from mailer.message import Message
from mailer.outbox.compose import LetterKind
from mailer.outbox.models import Batch, BatchState, DeliveryState, Mailing, MailingState
from mailer.outbox.permission import Permission
from mailer.outbox.running import run
from mailer.providers import Desk, Outcome, Outgoing, Receipt
from mailer.render.head import Manner
from subscribers.models import Member, State, Subscription, Suppression
from tests.builders import MOMENT, a_member
from tests.databases import stored_in
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, deliveries, expand, send, states, the_mailing

SENT, FAILED, QUEUED = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.QUEUED
CANCELLED, UNCERTAIN = DeliveryState.CANCELLED, DeliveryState.UNCERTAIN


def only(address: str, outcome: Outcome):
    """A script that answers `outcome` for one address and accepts the others."""

    def script(message: Message) -> Outcome:
        return outcome if message.recipient == address else accept(message)

    return script


def test_everyone_gets_their_own_letter_once_and_the_mailing_is_done(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1200, batch=500)
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert sorted(provider.addresses) == sorted(f"m{n}@example.org" for n in range(1, 1201))
    assert set(states(engine).values()) == {SENT}
    assert the_mailing(engine).state is MailingState.DONE
    assert provider.closed
    assert list(journals.iterdir()) == []


def test_a_letter_carries_the_frozen_content_and_the_members_own_links(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1)
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    [message] = provider.accepted
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert parsed["Subject"] == "Veckan: Ny park"
    assert parsed["To"] == "Namn1 <m1@example.org>"
    assert message.sender == "brev@example.org"
    text = parsed.get_body(("plain",))
    assert text is not None
    assert "Namn1: https://post.example.org/u/" in text.get_content()


def test_a_deferred_letter_is_sent_later_as_the_same_bytes(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    tried: list[Message] = []

    def later(message: Message) -> Outcome:
        tried.append(message)
        return TryLater("451 try again", code="451")

    provider = FakeProvider(later)
    office = an_office(engine, journals, provider, now=clock)
    send(office)
    assert {row.attempts for row in deliveries(engine).values()} == {1}
    clock.forward(timedelta(seconds=59))
    send(office)
    assert provider.accepted == []

    provider.script = accept
    clock.forward(timedelta(seconds=20))
    send(office)

    assert provider.accepted == tried
    assert set(states(engine).values()) == {SENT}
    assert the_mailing(engine).state is MailingState.DONE


def test_a_letter_that_cannot_be_delivered_in_time_fails_with_the_servers_answer(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 1)
    provider = FakeProvider(lambda _: TryLater("451 4.3.0 busy", code="451 4.3.0"))
    office = an_office(engine, journals, provider, now=clock)

    for _ in range(40):
        send(office)
        clock.forward(timedelta(hours=2))

    delivery = deliveries(engine)[1]
    assert (delivery.state, delivery.code, delivery.answer) == (FAILED, "451 4.3.0", "451 4.3.0 busy")
    assert the_mailing(engine).state is MailingState.DONE


@pytest.mark.parametrize("refusal", [AddressRefused, MessageRefused])
def test_one_refused_recipient_never_stops_the_others(
    engine: sa.Engine, journals: Path, clock: Clock, refusal: type[AddressRefused | MessageRefused]
):
    a_mailing(engine, 5)
    answer = refusal("550 5.1.1 <m2@example.org>: unknown, ask m2@example.org", code="550 5.1.1")

    send(an_office(engine, journals, FakeProvider(only("m2@example.org", answer)), now=clock))

    assert states(engine) == {1: SENT, 2: FAILED, 3: SENT, 4: SENT, 5: SENT}
    delivery = deliveries(engine)[2]
    assert delivery.code == "550 5.1.1"
    assert "m2" not in (delivery.answer or "")
    assert the_mailing(engine).state is MailingState.DONE


def test_an_unanswered_letter_is_uncertain_and_goes_to_nobody_else(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    first, second = FakeProvider(only("m2@example.org", Unanswered("connection lost"))), FakeProvider()
    office = an_office(engine, journals, first, second, now=clock)

    send(office)
    clock.forward(timedelta(days=1))
    send(office)

    assert states(engine) == {1: SENT, 2: UNCERTAIN, 3: SENT}
    assert second.accepted == []
    assert the_mailing(engine).state is MailingState.DONE


def test_the_next_provider_takes_over_when_one_is_down(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 5)
    first, second = FakeProvider(only("m3@example.org", ProviderDown("login refused"))), FakeProvider()

    send(an_office(engine, journals, first=first, second=second, now=clock))

    assert [*first.addresses, *second.addresses] == [f"m{n}@example.org" for n in range(1, 6)]
    assert [deliveries(engine)[n].provider for n in (1, 2, 3, 4, 5)] == ["first"] * 2 + ["second"] * 3


class FullDisk(FakeProvider):
    """Hears m2's answer when the journal can hold no more; there is room again when the worker has noticed."""

    def __init__(self, journals: Path, stop: asyncio.Event) -> None:
        super().__init__(self.answer)
        self._journals = journals
        self._stop = stop

    def answer(self, message: Message) -> Outcome:
        if message.recipient == "m2@example.org":
            opened = Path("/proc/self/fd").iterdir()
            [self._journal] = [int(file.name) for file in opened if file.resolve().parent == self._journals]
            self._saved, full = os.dup(self._journal), os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, self._journal)
            os.close(full)
        return accept(message)

    async def carry(self, desk: Desk) -> None:
        try:
            await super().carry(desk)
        except OSError:
            os.dup2(self._saved, self._journal)
            os.close(self._saved)
            self._stop.set()
            raise


def test_an_answer_that_came_when_the_disk_was_full_is_written_when_there_is_room(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 4)

    async def act() -> FullDisk:
        provider = FullDisk(journals, stop := asyncio.Event())
        await run(an_office(engine, journals, provider, now=clock), stop)
        return provider

    provider = asyncio.run(act())

    assert provider.addresses == ["m1@example.org", "m2@example.org"]
    assert states(engine) == {1: SENT, 2: SENT, 3: QUEUED, 4: QUEUED}
    assert list(journals.glob("*.journal")) == []


class InDoubt(FakeProvider):
    """Fails with a letter under way, at the moment when the worker is told to stop."""

    def __init__(self, stop: asyncio.Event) -> None:
        super().__init__()
        self._stop = stop

    async def carry(self, desk: Desk) -> None:
        outgoing = desk.take()
        assert outgoing is not None
        desk.start([outgoing])
        self._stop.set()
        raise Trouble("the database went away")


def test_told_to_stop_in_the_middle_of_a_trouble_a_worker_leaves_no_lease(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)

    async def act() -> None:
        provider = InDoubt(stop := asyncio.Event())
        await run(an_office(engine, journals, provider, now=clock), stop)

    asyncio.run(act())

    assert states(engine) == {1: UNCERTAIN, 2: QUEUED, 3: QUEUED}
    with db.reading(engine) as session:
        assert session.scalars(sa.select(Batch.state)).all() == [BatchState.OPEN]
    assert list(journals.glob("*.journal")) == []


def test_a_worker_that_cannot_begin_leaves_nothing_and_settles_what_it_held_when_it_can(
    engine: sa.Engine, journals: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    a_mailing(engine, 3)
    away = iter([False, True, True, False])  # the database, each time that a worker begins

    def permission(engine: sa.Engine, now: Clock, **others: Any) -> Permission:
        if next(away):
            raise Trouble("the database is away")
        return Permission(engine, now, **others)

    monkeypatch.setattr("mailer.outbox.worker.Permission", permission)

    async def act() -> None:
        provider = InDoubt(stop := asyncio.Event())
        await run(an_office(engine, journals, provider, now=clock), stop)

    asyncio.run(act())

    assert next(away, None) is None
    assert states(engine) == {1: UNCERTAIN, 2: QUEUED, 3: QUEUED}
    assert list(journals.iterdir()) == []


def test_whoever_leaves_while_the_edition_is_sent_does_not_get_it(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 20)
    provider = FakeProvider()

    def leave() -> None:
        if len(provider.accepted) == 3:
            with db.writing(engine) as session:
                session.get_one(Subscription, (5, "weekly")).ended_at = clock()
                session.get_one(Member, 7).state = State.LEFT
                member = session.get_one(Member, 9)
                assert member.address_key is not None
                session.add(Suppression(address_key=member.address_key, scope="all", reason="asked", at=clock()))

    provider.between = leave
    send(an_office(engine, journals, provider, now=clock))

    gone = {5: "unsubscribed", 7: "left", 9: "suppressed"}
    assert {member: deliveries(engine)[member].code for member in gone} == gone
    assert [n for n, state in states(engine).items() if state is CANCELLED] == sorted(gone)
    assert len(provider.accepted) == 17
    assert the_mailing(engine).state is MailingState.DONE


def test_whoever_leaves_after_the_letter_was_taken_but_before_its_body_does_not_get_it(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock)
    send_one = provider._send

    def leave_first(desk: Desk, outgoing: Outgoing) -> None:
        if outgoing.message.recipient == "m2@example.org" and not provider.withdrawn:
            with db.writing(engine) as session:
                session.get_one(Subscription, (2, "weekly")).ended_at = clock()
        send_one(desk, outgoing)

    provider._send = leave_first  # type: ignore[method-assign]  # between take and start
    send(office)

    assert [message.recipient for message in provider.withdrawn] == ["m2@example.org"]
    assert states(engine) == {1: SENT, 2: CANCELLED, 3: SENT}


def test_a_household_gets_one_mail_that_greets_all_and_all_share_its_outcome(
    engine: sa.Engine, journals: Path, clock: Clock
):
    couple = [a_member("hem@example.org", given_name="Anna"), a_member("hem@example.org", given_name="Bo")]
    a_mailing(engine, [*couple, a_member("m3@example.org")], households=[(1, 2)])
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert provider.addresses == ["hem@example.org", "m3@example.org"]
    parsed = email.message_from_bytes(provider.accepted[0].content, policy=email.policy.default)
    assert parsed["To"] == "Anna and Bo <hem@example.org>"
    assert set(states(engine).values()) == {SENT}


def test_who_left_a_household_is_not_greeted_and_the_rest_get_the_mail(engine: sa.Engine, journals: Path, clock: Clock):
    couple = [a_member("hem@example.org", given_name="Anna"), a_member("hem@example.org", given_name="Bo")]
    a_mailing(engine, couple, households=[(1, 2)])
    with db.writing(engine) as session:
        session.get_one(Member, 1).state = State.LEFT
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    [message] = provider.accepted
    assert email.message_from_bytes(message.content, policy=email.policy.default)["To"] == "Bo <hem@example.org>"
    assert states(engine) == {1: CANCELLED, 2: SENT}


def test_who_moved_out_of_a_household_gets_a_mail_of_their_own(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, [a_member("hem@example.org"), a_member("egen@example.org")], households=[(1, 2)])
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert provider.addresses == ["hem@example.org", "egen@example.org"]
    ids = {email.message_from_bytes(message.content)["Message-ID"] for message in provider.accepted}
    assert len(ids) == 2


def test_one_unrenderable_member_never_stops_the_others(engine: sa.Engine, journals: Path, clock: Clock):
    members = [a_member(f"m{n}@example.org") for n in range(1, 4)]
    members[1].address = "bad\r\nBcc: x@example.org"
    a_mailing(engine, members)
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert states(engine) == {1: SENT, 2: FAILED, 3: SENT}
    delivery = deliveries(engine)[2]
    assert delivery.code == "compose"
    assert "Bcc" not in (delivery.answer or "")


def test_a_letter_that_nobody_can_be_written_holds_its_mailing(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3, letter="unknown")
    office = an_office(engine, journals, FakeProvider(), now=clock)
    office.composer._kinds = {"unknown": LetterKind(lambda *_: {"title": "x"}, Manner.EDITORIAL)}

    send(office)

    assert the_mailing(engine).state is MailingState.HELD
    assert "unknown" in the_mailing(engine).reason
    assert set(states(engine).values()) == {QUEUED}


def test_a_publication_that_config_has_no_longer_holds_its_mailing_and_no_other(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 2, key="gone", publication="gone")
    with db.writing(engine) as session:
        session.add_all(Subscription(member_id=number, publication="gone", since=MOMENT) for number in (1, 2))
    a_mailing(engine, [a_member("other@example.org")])
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    with db.reading(engine) as session:
        found = {row.key: row for row in session.scalars(sa.select(Mailing))}
    assert found["gone"].state is MailingState.HELD
    assert "gone" in found["gone"].reason
    assert [message.recipient for message in provider.accepted] == ["other@example.org"]
    assert found[KEY].state is MailingState.DONE


def test_the_kind_of_letter_decides_what_it_says_to_machines(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock)
    office.composer._kinds = {"note": LetterKind(expand, Manner.AUTOMATIC)}

    send(office)

    [message] = provider.accepted
    assert email.message_from_bytes(message.content)["Auto-Submitted"] == "auto-generated"


def test_pausing_stops_before_the_next_message(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 20)
    provider = FakeProvider()

    def pause() -> None:
        if len(provider.accepted) == 4:
            with db.writing(engine) as session:
                session.execute(sa.text("UPDATE mailing SET state = 'paused'"))

    provider.between = pause
    office = an_office(engine, journals, provider, now=clock)
    send(office)
    assert len(provider.accepted) == 4
    assert the_mailing(engine).state is MailingState.PAUSED

    with db.writing(engine) as session:
        session.execute(sa.text("UPDATE mailing SET state = 'planned'"))
    send(office)

    assert sorted(provider.addresses) == sorted({*provider.addresses})
    assert set(states(engine).values()) == {SENT}


def test_a_mailing_that_was_not_begun_in_time_is_held(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3, late_at=clock() - timedelta(minutes=1))
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert provider.accepted == []
    assert the_mailing(engine).state is MailingState.HELD


def test_deliveries_of_a_plan_that_never_became_valid_are_not_sent(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3, plan=2, candidates=0)
    provider = FakeProvider()

    send(an_office(engine, journals, provider, now=clock))

    assert provider.accepted == []


def test_a_mailing_whose_books_do_not_balance_is_held_and_not_done(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3, candidates=4)

    send(an_office(engine, journals, FakeProvider(), now=clock))

    assert the_mailing(engine).state is MailingState.HELD


def test_no_address_and_no_name_is_in_the_books_or_the_journal(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    echoing = FakeProvider(lambda message: Receipt(f"250 queued for <{message.recipient}>"))

    send(an_office(engine, journals, echoing, now=clock))

    stored = stored_in(engine)
    assert b"@example.org" not in stored
    assert b"Namn" not in stored


def test_batches_close_only_when_all_of_their_deliveries_are_settled(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4, batch=2)
    script = only("m3@example.org", TryLater("450 wait", code="450"))

    send(an_office(engine, journals, FakeProvider(script), now=clock))

    with db.reading(engine) as session:
        batches = session.scalars(sa.select(Batch).order_by(Batch.id)).all()
    assert [batch.state for batch in batches] == [BatchState.CLOSED, BatchState.OPEN]
    assert batches[1].due_at == deliveries(engine)[3].due_at
    assert the_mailing(engine).state is MailingState.PLANNED
