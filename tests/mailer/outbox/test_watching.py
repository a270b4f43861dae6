"""What whoever watches is told: numbers from the database, the same from any process."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mailer import db, logs
from mailer.errors import AddressRefused, ProviderDown, TryLater, Unanswered
from mailer.message import Message
from mailer.outbox import carriers, control, gauges, progress, tallies
from mailer.outbox.clerk import Clerk
from mailer.outbox.journal import Journal
from mailer.outbox.ledger import Line
from mailer.outbox.pacing import PER_DAY, QUIET, Question
from mailer.outbox.progress import Books, Look
from mailer.outbox.running import run
from mailer.outbox.states import DeliveryState
from mailer.outbox.tallies import BOUNDS, SUM, TOOK, Tallies
from mailer.outbox.verdicts import Verdict
from mailer.pace import UNLIMITED, Pace
from mailer.providers import Outcome
from tests.builders import MOMENT
from tests.databases import ONLY_POSTGRESQL
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, send
from tests.waiting import PATIENCE


def mixed(message: Message) -> Outcome:
    answers: dict[str, Outcome] = {
        "m1@example.org": AddressRefused("550 5.1.1 no", code="5.1.1"),
        "m2@example.org": Unanswered("gone"),
        "m3@example.org": TryLater("450 4.2.0 later", code="4.2.0"),
    }
    return answers.get(message.recipient) or accept(message)


def read(engine: sa.Engine, clock: Clock) -> gauges.Gauges:
    with db.reading(engine) as session:
        return gauges.read(session.connection(), ["fake", "other"], now=clock())


def look(engine: sa.Engine, clock: Clock, pace: Pace = UNLIMITED) -> Look:
    with db.reading(engine) as session:
        return progress.look(session.connection(), {"fake": pace}, str, Question(clock(), UTC))


def test_before_the_first_letter_all_wait_and_the_oldest_is_known(engine: sa.Engine, clock: Clock):
    a_mailing(engine, 7, batch=3)
    clock.forward(timedelta(seconds=90))

    told = read(engine, clock)

    assert (told.waiting, told.deferred, told.oldest_due, told.workers) == (7, 0, 90.0, 0)
    assert told.mailings["planned"] == 1
    assert told.providers == {"fake": "up", "other": "up"}


def test_after_them_each_outcome_is_tallied_by_who_carried_it(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 9, batch=3)
    send(an_office(engine, journals, fake=FakeProvider(mixed), now=clock))

    told = read(engine, clock)

    assert (told.waiting, told.deferred, told.oldest_due) == (1, 1, 0.0)
    outcomes = {what: n for (who, what), n in told.tallies.items() if who == "fake" and not what.startswith("took")}
    assert outcomes == {"sent": 6, "failed": 1, "uncertain": 1, "deferred": 1}
    took = sum(n for (_, what), n in told.tallies.items() if what.startswith("took ") and what != SUM)
    assert took == 9


def test_what_is_queued_again_waits_again(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 9, batch=3)
    send(an_office(engine, journals, fake=FakeProvider(mixed), now=clock))
    with db.writing(engine) as session:
        control.retry_failed(session.connection(), KEY, give_up_after=timedelta(days=2), now=clock())

    assert read(engine, clock).waiting == 2


def test_a_cancelled_mailing_waits_for_nothing(engine: sa.Engine, clock: Clock):
    a_mailing(engine, 9, batch=3)
    with db.writing(engine) as session:
        control.cancel(session.connection(), KEY)

    assert read(engine, clock).waiting == 0


def test_a_provider_that_rests_says_so(engine: sa.Engine, clock: Clock):
    with db.writing(engine) as session:
        carriers.lie_down(session.connection(), "fake", ProviderDown("no connection"), now=clock())

    assert read(engine, clock).providers == {"fake": "open", "other": "up"}


def test_two_workers_add_to_the_same_tallies(engine: sa.Engine):
    verdict = Verdict(DeliveryState.SENT)
    for took in (0.02, 7.0, 400.0):
        counted = Tallies()
        counted.count([Line(1, verdict, "fake", took), Line(2, verdict, "fake")])
        with db.writing(engine) as session:
            counted.add(session.connection(), at_once=True)
            counted.add(session.connection(), at_once=True)  # nothing is added twice

    with db.reading(engine) as session:
        numbers = tallies.read(session.connection())
    assert numbers["fake", "sent"] == 6
    assert numbers["fake", SUM] == pytest.approx(407.02)
    assert [bound for bound in BOUNDS if ("fake", TOOK.format(bound)) in numbers] == [0.025, 10.0, BOUNDS[-1]]


def test_a_worker_is_alive_while_it_says_so_and_not_when_it_has_ended(engine: sa.Engine, journals: Path, clock: Clock):
    async def work() -> int:
        stop = asyncio.Event()
        worker = asyncio.create_task(run(an_office(engine, journals, FakeProvider(), now=clock), stop))
        async with asyncio.timeout(PATIENCE):
            while not (alive := read(engine, clock).workers):  # noqa: ASYNC110  the database tells nobody
                await asyncio.sleep(0.01)
        clock.forward(gauges.ALIVE + timedelta(seconds=1))
        assert read(engine, clock).workers == 0  # as of then it was not heard of
        clock.at = MOMENT
        stop.set()
        await worker
        return alive

    assert asyncio.run(work()) == 1
    assert read(engine, clock).workers == 0


@ONLY_POSTGRESQL
def test_a_worker_that_says_so_waits_for_no_writer_and_wakes_nobody(engine: sa.Engine, journals: Path, clock: Clock):
    office = an_office(engine, journals, now=clock)
    journal = Journal(journals, boot_id="a" * 36)
    clerk = Clerk(engine, journal, terms=office.terms, give_up_after=office.give_up_after, now=clock)
    with db.writing(engine), engine.connect() as listener:
        listener.exec_driver_sql(f"LISTEN {db.CHANGED}")
        listener.commit()

        clerk.here()
        alive = read(engine, clock).workers
        clerk.leave()

        assert (alive, read(engine, clock).workers) == (1, 0)
        driver: Any = listener.connection.driver_connection
        assert list(driver.notifies(timeout=0)) == []
    journal.close()


def test_a_look_counts_what_is_under_way_and_how_fast_it_goes(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 9, batch=3)
    before = look(engine, clock)
    send(an_office(engine, journals, fake=FakeProvider(mixed), now=clock))
    clock.forward(timedelta(seconds=4))
    now = look(engine, clock)

    [row] = progress.compare(before, now)
    assert (row.queued, row.deferred, row.sent, row.failed, row.uncertain) == (1, 1, 6, 1, 1)
    assert (row.per_second, row.remaining) == (2.0, 0)
    assert progress.rates(before, now) == {"fake": 1.5}


def test_who_waits_for_its_pace_says_why_and_until_when(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 9, batch=3)
    quiet, few = Pace(quiet="09:00-15:00"), Pace(per_second=100, per_day=4)
    [service] = look(engine, clock, quiet).services
    assert (service.state, service.until, service.reason) == ("waiting", clock() + timedelta(hours=4), QUIET)
    [service] = look(engine, clock, few).services
    assert (service.state, service.reason) == ("up", "")

    send(an_office(engine, journals, fake=FakeProvider(), now=clock, pace=few))

    [service] = look(engine, clock, few).services
    assert (service.state, service.reason) == ("waiting", PER_DAY)


def test_nobody_knows_when_what_stands_still_is_through():
    books = Books("k", "paused", 10, queued=10, deferred=0, sent=0, failed=0, cancelled=0, uncertain=0)
    first = Look(MOMENT, [books], [], {"fake": 5.0})
    later = replace(first, at=MOMENT + timedelta(seconds=2))

    assert progress.compare(None, first)[0].per_second is None
    [row] = progress.compare(first, later)
    assert (row.per_second, row.remaining) == (0.0, None)
    [row] = progress.compare(first, replace(later, mailings=[replace(books, queued=8)]))
    assert (row.per_second, row.remaining) == (1.0, 8)


def test_an_outcome_is_logged_by_its_delivery_and_names_nobody(
    engine: sa.Engine, journals: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
):
    logs.configure(debug=False, form="json")
    a_mailing(engine, 9, batch=3)
    send(an_office(engine, journals, fake=FakeProvider(mixed), now=clock))

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = {line["delivery"]: line["state"] for line in lines if line["event"] == "outbox.delivery"}
    assert told == {1: "failed", 2: "uncertain", 3: "queued"}
    assert not any("example.org" in str(line) or "Namn" in str(line) for line in lines)
