"""The desk alone: what it lets be started."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.errors import ProviderDown, TryLater
from mailer.outbox import control
from mailer.outbox.batches import Terms
from mailer.outbox.clerk import Clerk
from mailer.outbox.desk import Desk
from mailer.outbox.journal import Journal, Mark, read
from mailer.outbox.models import DeliveryState
from mailer.outbox.permission import Permission
from mailer.providers import Receipt
from tests.fakes import FakeProvider
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, send, states

BOOT = "a" * 36
TERMS = Terms()


class Blind:
    def changed(self) -> bool:
        return False


class Room:
    """A desk with one mailing of two letters on it."""

    def __init__(self, engine: sa.Engine, folder: Path, stack: ExitStack, *, leased: timedelta) -> None:
        clock = Clock()
        a_mailing(engine, 2)
        self.path = folder / "journal"
        self.journal = Journal(self.path, boot_id=BOOT)
        hand = Clerk(engine, self.journal, terms=TERMS, give_up_after=timedelta(days=1), now=clock).lease()
        assert hand is not None
        self.hand, self.lease = hand, hand.lease
        self.desk = Desk(
            journal=self.journal,
            composer=an_office(engine, self.path, now=clock).composer,
            permission=stack.enter_context(Permission(engine, clock)),
            terms=TERMS,
            now=clock,
            stopping=lambda: False,
        )
        at, changes = time.monotonic() - leased.total_seconds(), self.desk.changes_so_far()
        self.desk.add(hand, [None] * len(hand.letters), leased_at=at, changes=changes)

    def mark(self, delivery: int) -> Mark | None:
        octets = (self.path / f"{self.journal.owner}.journal").read_bytes()
        note = read("", octets, boot_id=BOOT).note(self.lease.batch, self.lease.fence, delivery)
        return note and note.mark


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def room(engine: sa.Engine, tmp_path: Path, stack: ExitStack) -> Room:
    return Room(engine, tmp_path, stack, leased=timedelta())


def test_the_intent_is_on_disk_before_the_line_and_the_answer_after_it(room: Room):
    outgoing = room.desk.take()
    assert outgoing is not None
    assert room.mark(1) is None

    assert room.desk.start([outgoing])
    assert room.mark(1) is Mark.STARTED

    room.desk.settle(outgoing, Receipt("250 Ok"))
    assert room.mark(1) is Mark.SENT


def test_nothing_is_started_near_the_end_of_a_lease(engine: sa.Engine, tmp_path: Path, stack: ExitStack):
    room = Room(engine, tmp_path, stack, leased=TERMS.lease - TERMS.margin)
    outgoing = room.desk.take()
    assert outgoing is not None

    assert not room.desk.start([outgoing])

    room.desk.give_back(outgoing)
    assert room.mark(1) is None
    assert room.desk.outcomes == 0


def stop(engine: sa.Engine) -> None:
    with db.writing(engine) as session:
        control.pause(session.connection(), KEY)


def test_a_stopped_mailing_is_let_go_of_although_a_provider_still_has_an_envelope_of_it(room: Room, engine: sa.Engine):
    outgoing = room.desk.take()
    assert outgoing is not None
    stop(engine)

    assert room.desk.drop_stopped()

    assert room.desk.finished == [room.lease]
    room.desk.forget(room.lease)
    assert not room.desk.start([outgoing])
    room.desk.give_back(outgoing)
    assert room.desk.leases == []
    assert len(room.desk) == 0
    assert room.mark(1) is None


def test_what_is_handed_over_is_answered_before_its_batch_is_given_back(room: Room, engine: sa.Engine):
    outgoing = room.desk.take()
    assert outgoing is not None
    assert room.desk.start([outgoing])
    stop(engine)

    assert not room.desk.drop_stopped()
    assert room.desk.finished == []

    room.desk.settle(outgoing, Receipt("250 Ok"))
    assert room.desk.drop_stopped()
    assert room.desk.finished == [room.lease]


def test_a_mailing_stopped_while_its_batch_was_leased_is_not_begun(room: Room, engine: sa.Engine):
    stop(engine)
    room.desk._permission._watch = Blind()  # a database that does not tell that it changed
    room.desk._permission._going[room.lease.mailing] = True
    changes = room.desk.changes_so_far()
    room.desk.add(room.hand, [None] * len(room.hand.letters), leased_at=time.monotonic(), changes=changes)

    assert room.desk.take() is None


def test_what_is_given_back_is_handed_over_first(room: Room):
    first = room.desk.take()
    assert first is not None

    room.desk.give_back(first)

    assert room.desk.take() == first


def test_a_batch_is_finished_when_every_letter_has_its_outcome(room: Room):
    one, two = room.desk.take(), room.desk.take()
    assert one is not None
    assert two is not None
    assert room.desk.take() is None
    room.desk.settle(one, Receipt("250"))
    assert room.desk.finished == []

    room.desk.settle(two, TryLater("451"))

    assert room.desk.finished == [room.lease]


def test_the_letters_of_a_lost_lease_are_taken_off_the_desk(room: Room):
    outgoing = room.desk.take()
    assert outgoing is not None

    room.desk.extended([], leased_at=time.monotonic())

    assert room.desk.take() is None
    assert not room.desk.start([outgoing])


def test_a_provider_found_down_gets_nothing_more(room: Room):
    outgoing = room.desk.take()
    assert outgoing is not None

    room.desk.settle(outgoing, ProviderDown("421 shutting down"))

    assert room.desk.take() is None
    assert len(room.desk) == 2


def test_nothing_is_sent_on_the_word_of_a_journal_that_cannot_be_written(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    a_mailing(engine, 3)
    provider = FakeProvider()
    office = an_office(engine, tmp_path / "journal", provider, now=Clock())
    written = os.write
    full = [False]

    def write(file: int, octets: bytes) -> int:
        if full[0]:
            raise OSError(28, "No space left on device")
        full[0] = octets[4:5] == b"L"  # the lease still fits, the first intent does not
        return written(file, octets)

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space"):
            send(office)
    assert provider.accepted == []

    send(office)

    assert len(provider.accepted) == 3
    assert set(states(engine).values()) == {DeliveryState.SENT}
