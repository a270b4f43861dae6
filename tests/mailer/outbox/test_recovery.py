"""What becomes of a batch whose worker is gone."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from mailer import db
from mailer.errors import TryLater
from mailer.outbox import recovery
from mailer.outbox.batches import Lease, Terms
from mailer.outbox.clerk import Clerk
from mailer.outbox.journal import Journal, Mark, Note, Remains, read
from mailer.outbox.ledger import Entry, Line
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, MailingState
from mailer.outbox.verdicts import Verdict
from tests.databases import ONLY_POSTGRESQL
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import Clock, a_mailing, an_office, deliveries, send, states, the_mailing

SENT, QUEUED, UNCERTAIN = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.UNCERTAIN
BOOT, OTHER_BOOT = "a" * 36, "b" * 36
TERMS = Terms(timedelta(minutes=5))
LEASE, GRACE = TERMS.lease, TERMS.grace


def a_clerk(engine: sa.Engine, journals: Path, clock: Clock) -> tuple[Clerk, Journal]:
    journal = Journal(journals, boot_id=BOOT)
    return Clerk(engine, journal, terms=TERMS, give_up_after=timedelta(days=2), now=clock), journal


def leased(clerk: Clerk) -> Lease:
    hand = clerk.lease()
    assert hand is not None
    return hand.lease


def note(lease: Lease, delivery: int, *marks: Mark) -> list[Note]:
    return [Note(mark, lease.batch, lease.fence, delivery) for mark in marks]


def settled(lease: Lease, *verdicts: tuple[int, DeliveryState]) -> Sequence[Entry]:
    return [Entry(lease, Line(delivery, Verdict(state))) for delivery, state in verdicts]


def test_no_two_workers_hold_the_same_batch(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 6, batch=2)
    workers = [a_clerk(engine, journals, clock)[0] for _ in range(4)]

    hands = [worker.lease() for worker in workers]

    assert [hand and (hand.lease.lo, hand.lease.hi) for hand in hands] == [(1, 2), (3, 4), (5, 6), None]


@ONLY_POSTGRESQL
def test_a_lease_is_on_disk_when_it_is_committed_whatever_the_servers_default(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 1)
    clerk, _ = a_clerk(engine, journals, clock)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine.dispose()
    found: list[object] = []

    @sa.event.listens_for(engine, "commit")
    def look(connection: sa.Connection) -> None:
        found.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar())

    leased(clerk)

    assert found[0] == "on"


def test_the_heir_sends_what_was_never_started_and_leaves_the_rest(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 4)
    clerk, journal = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    journal.write([*note(lease, 1, Mark.STARTED, Mark.SENT), *note(lease, 2, Mark.STARTED)])
    journal.write(note(lease, 3, Mark.STARTED, Mark.LATER))
    journal.close()

    heir, _ = a_clerk(engine, journals, clock)
    heir.recover(journals, boot_id=BOOT)

    assert states(engine) == {1: SENT, 2: UNCERTAIN, 3: QUEUED, 4: QUEUED}
    provider = FakeProvider()
    send(an_office(engine, journals, provider, now=clock))
    assert provider.addresses == ["m3@example.org", "m4@example.org"]
    assert the_mailing(engine).state is MailingState.DONE


def test_after_a_power_cut_all_unsettled_of_a_leased_batch_are_uncertain(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 4, batch=2)
    clerk, journal = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    journal.write(note(lease, 1, Mark.STARTED, Mark.SENT))
    journal.close()

    a_clerk(engine, journals, clock)[0].recover(journals, boot_id=OTHER_BOOT)

    assert states(engine) == {1: UNCERTAIN, 2: UNCERTAIN, 3: QUEUED, 4: QUEUED}


def test_a_missing_journal_makes_uncertain_when_the_lease_ends_and_not_before(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 2)
    clerk, journal = a_clerk(engine, journals, clock)
    leased(clerk)
    (journals / f"{journal.owner}.journal").unlink()
    other, _ = a_clerk(engine, journals, clock)

    clock.forward(LEASE + GRACE)
    other.recover(journals, boot_id=BOOT)
    assert set(states(engine).values()) == {QUEUED}
    clock.forward(timedelta(seconds=1))
    other.recover(journals, boot_id=BOOT)

    assert set(states(engine).values()) == {UNCERTAIN}
    assert the_mailing(engine).state is MailingState.DONE


def test_a_delivery_deferred_before_the_worker_was_lost_stays_queued(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 2)
    clerk, _ = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    deferred = Verdict(QUEUED, due_at=clock() + timedelta(minutes=1), attempts=1)
    clerk.record([Entry(lease, Line(1, deferred))], held=[lease], finished=[])

    clock.forward(LEASE + GRACE + timedelta(seconds=1))
    a_clerk(engine, journals, clock)[0].recover(journals, boot_id=OTHER_BOOT)

    assert states(engine) == {1: QUEUED, 2: UNCERTAIN}


def test_a_worker_that_wakes_up_after_its_lease_knows_better_only_where_it_heard_an_answer(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)
    clerk, _ = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    clock.forward(LEASE + GRACE + timedelta(seconds=1))
    a_clerk(engine, journals, clock)[0].recover(journals, boot_id=BOOT)
    assert set(states(engine).values()) == {UNCERTAIN}

    ours = clerk.record(settled(lease, (1, SENT), (2, UNCERTAIN), (3, QUEUED)), held=[lease], finished=[lease])

    assert ours == set()
    assert states(engine) == {1: SENT, 2: UNCERTAIN, 3: UNCERTAIN}
    with db.reading(engine) as session:
        assert session.scalars(sa.select(Batch.state)).one() is BatchState.CLOSED


def test_an_outcome_never_overwrites_a_settled_delivery(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1)
    clerk, _ = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    clerk.record(settled(lease, (1, SENT)), held=[lease], finished=[])

    clerk.record(settled(lease, (1, DeliveryState.FAILED)), held=[lease], finished=[])

    assert states(engine) == {1: SENT}


def test_a_journal_that_turns_up_late_still_settles_what_was_called_uncertain(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 2)
    clerk, journal = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    journal.write(note(lease, 1, Mark.STARTED, Mark.SENT))
    clock.forward(LEASE + GRACE + timedelta(seconds=1))
    other, _ = a_clerk(engine, journals, clock)
    other.recover(journals, boot_id=BOOT)
    journal.close()

    other.recover(journals, boot_id=BOOT)

    assert states(engine) == {1: SENT, 2: UNCERTAIN}


def test_an_extended_lease_is_lost_to_nobody(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 1)
    clerk, _ = a_clerk(engine, journals, clock)
    lease = leased(clerk)
    other, _ = a_clerk(engine, journals, clock)
    for _ in range(4):
        clock.forward(LEASE)
        assert clerk.record([], held=[lease], finished=[]) == {lease}
        other.recover(journals, boot_id=BOOT)

    assert states(engine) == {1: QUEUED}


def test_a_mailing_whose_worker_died_between_the_last_batch_and_the_end_is_done_by_the_next(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 1)
    with db.writing(engine) as session:
        session.execute(sa.update(Delivery).values(state=SENT))
        session.execute(sa.update(Batch).values(state=BatchState.CLOSED))

    send(an_office(engine, journals, FakeProvider(), now=clock))

    assert the_mailing(engine).state is MailingState.DONE


def test_a_batch_opens_again_when_the_first_of_its_deferred_deliveries_is_due(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 3)
    office = an_office(engine, journals, FakeProvider(lambda _: TryLater("busy")), now=clock)
    send(office)
    first = min(row.due_at for row in deliveries(engine).values() if row.due_at)
    office.carriers[0].provider.script = accept  # type: ignore[attr-defined]  # the test's own provider

    clock.at = first
    send(office)

    assert sum(state is SENT for state in states(engine).values()) == 1


def test_what_a_journal_proves_of_one_lease_it_does_not_prove_of_the_next():
    records = [Note(Mark.LEASE, 1, 1), Note(Mark.STARTED, 1, 1, 5), Note(Mark.LATER, 1, 1, 5), Note(Mark.LEASE, 1, 2)]
    remains = Remains("w", frozenset({(1, 1), (1, 2)}), {(1, 1): {5: records[2]}, (1, 2): {}})
    lease = Lease(batch=1, fence=2, mailing=1, plan=1, lo=5, hi=6, since=Clock()())

    assert recovery.from_journal(remains, lease, [(5, 1), (6, 0)]) == []
    unknown = recovery.from_journal(read("w", b"", boot_id=BOOT), lease, [(5, 1)])
    assert [line.verdict.state for line in unknown] == [UNCERTAIN]
