from array import array
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from mailer import db
from mailer.outbox.enqueue import (
    BATCH,
    Content,
    Overtaken,
    Plan,
    Readership,
    addressed,
    batch_size,
    begin,
    chunks,
    open_mailing,
    sweep,
    write_batches,
    write_pieces,
    write_plan,
    write_variants,
)
from mailer.outbox.models import Batch, Delivery, Mailing, MailingState

NOW = datetime(2026, 11, 19, 7, tzinfo=UTC)


def a_mailing(key: str = "weekly:2026-W47", state: MailingState = MailingState.APPROVED) -> Mailing:
    return Mailing(key=key, publication="weekly", letter="digest", state=state, created_at=NOW)


def opened(engine: sa.Engine, key: str = "weekly:2026-W47") -> int:
    with db.writing(engine) as session:
        return open_mailing(session, a_mailing(key)) or 0


def a_readership(*members: int, household: int = 0, content: str = "{}") -> Readership:
    flat = [number for member in members for number in (member, household)]
    return Readership(Content("sv", plain_only=False, content=content, stories=(1,)), array("q", flat))


def a_plan(*readerships: Readership) -> Plan:
    return Plan(content='{"edition":"2026-W47"}', pieces=('{"title":"Ett"}',), readerships=readerships)


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608  ours


def test_a_mailing_is_opened_once_under_its_key(session: Session):
    first = open_mailing(session, a_mailing())

    assert first
    assert open_mailing(session, a_mailing()) is None


def test_deliveries_lie_in_variant_order_and_batches_are_ranges_of_them(engine: sa.Engine):
    mailing = opened(engine)
    plan = a_plan(a_readership(*range(1, 400), content="a"), a_readership(*range(400, 1300), content="b"))

    assert write_plan(begin(engine, mailing), plan, now=NOW) == 1299

    with db.reading(engine) as session:
        deliveries = session.exec(select(Delivery).order_by(Delivery.id)).all()
        batches = session.exec(select(Batch).order_by(Batch.lo)).all()
        planned = session.get_one(Mailing, mailing)
    assert [d.member_id for d in deliveries] == list(range(1, 1300))
    assert [d.variant_id for d in deliveries] == sorted(d.variant_id for d in deliveries)
    assert [number for b in batches for number in range(b.lo, b.hi + 1)] == [d.id for d in deliveries]
    assert max(b.hi - b.lo + 1 for b in batches) <= BATCH
    assert (planned.state, planned.plan, planned.candidates) == (MailingState.PLANNED, 1, 1299)
    assert {d.plan for d in deliveries} == {b.plan for b in batches} == {1}


homes = st.lists(st.integers(1, 6), max_size=2_500)


@given(homes)
def test_no_household_is_parted_and_no_delivery_lost(sizes: list[int]):
    flat, member = array("q"), 0
    for size in sizes:
        lead = member + 1
        for _ in range(size):
            member += 1
            flat.extend((member, lead if size > 1 else 0))
    everyone = Readership(Content("sv", plain_only=False, content="{}"), flat)

    batches = [batch for chunk in chunks(addressed([everyone], [7]), BATCH) for batch in chunk]

    assert [number for batch in batches for _, number, _ in batch] == list(range(1, member + 1))
    assert all(0 < len(batch) <= BATCH for batch in batches)
    place = {number: at for at, batch in enumerate(batches) for _, number, _ in batch}
    assert all(place[number] == place[home] for batch in batches for _, number, home in batch if home)


def test_a_household_larger_than_a_batch_still_stays_together():
    everyone = addressed([a_readership(*range(1, 700), household=1)], [1])

    batches = [batch for chunk in chunks(everyone, 50) for batch in chunk]

    assert [len(batch) for batch in batches] == [699]


@pytest.mark.parametrize(("candidates", "size"), [(3, 50), (2_000, 100), (20_000, 1_000), (1_000_000, 1_000)])
def test_a_mailing_is_shared_by_many_workers_however_small(candidates: int, size: int):
    assert batch_size(candidates) == size


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_plan_that_died_in_the_middle_means_nothing_and_is_swept(engine: sa.Engine, steps: int):
    mailing = opened(engine)
    dead = begin(engine, mailing)
    readership = a_readership(*range(1, 30))
    if steps > 0:
        write_pieces(dead, ("{}", "{}"))
    variants = write_variants(dead, [readership.content]) if steps > 1 else []
    if steps > 2:
        write_batches(dead, next(chunks(addressed([readership], variants), BATCH)), now=NOW)

    with db.reading(engine) as session:
        assert session.get_one(Mailing, mailing).plan is None
    assert write_plan(begin(engine, mailing), a_plan(a_readership(1, 2, 3)), now=NOW) == 3

    tables = ("delivery", "batch", "variant", "variant_story", "piece")
    assert [count(engine, table) for table in tables] == [3, 1, 1, 1, 1]


def test_an_overtaken_planner_writes_nothing_more(engine: sa.Engine):
    mailing = opened(engine)
    slow = begin(engine, mailing)
    fast = begin(engine, mailing)
    write_plan(fast, a_plan(a_readership(1, 2)), now=NOW)

    with pytest.raises(Overtaken):
        write_plan(slow, a_plan(a_readership(1, 2, 3)), now=NOW)
    assert count(engine, "delivery") == 2


def test_an_older_planner_cannot_sweep_what_a_newer_one_writes(engine: sa.Engine):
    mailing = opened(engine)
    slow, fast = begin(engine, mailing), begin(engine, mailing)
    write_variants(fast, [a_readership().content])

    with pytest.raises(Overtaken):
        sweep(slow)
    assert count(engine, "variant") == 1


def test_a_mailing_that_is_stopped_in_the_middle_of_its_plan_stays_stopped(engine: sa.Engine):
    mailing = opened(engine)
    ticket = begin(engine, mailing)
    with db.writing(engine) as session:
        session.get_one(Mailing, mailing).state = MailingState.CANCELLED

    with pytest.raises(Overtaken):
        write_plan(ticket, a_plan(a_readership(1)), now=NOW)
    assert count(engine, "delivery") == 0


def test_a_planned_mailing_is_not_planned_again(engine: sa.Engine):
    mailing = opened(engine)
    write_plan(begin(engine, mailing), a_plan(a_readership(1)), now=NOW)

    with pytest.raises(Overtaken):
        begin(engine, mailing)


def test_other_mailings_are_untouched_by_a_sweep(engine: sa.Engine):
    other = opened(engine, "weekly:2026-W46")
    write_plan(begin(engine, other), a_plan(a_readership(1, 2)), now=NOW)

    write_plan(begin(engine, opened(engine)), a_plan(a_readership(3)), now=NOW)

    assert count(engine, "delivery") == 3
