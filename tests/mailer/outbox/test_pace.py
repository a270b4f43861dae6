"""Workers keep the pace of their providers, together, and nothing waits for what must wait."""

import asyncio
import signal
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.outbox import buckets, control
from mailer.outbox.models import Batch, BatchState, DeliveryState, Lane, Mailing, Spent
from mailer.outbox.pacing import Question, Shut
from mailer.outbox.running import run
from mailer.outbox.worker import LOW
from mailer.pace import Pace, WarmUp
from tests.builders import MOMENT, a_member
from tests.fakes import FakeProvider
from tests.mailer.outbox.paced import givers
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, send, states
from tests.mailer.outbox.test_pacing import most_in_any
from tests.mailer.outbox.workers import started
from tests.waiting import PATIENCE, wait_until

SENT, QUEUED = DeliveryState.SENT, DeliveryState.QUEUED
NOON = Pace(quiet="09:00-15:00")  # MOMENT is 11:00 UTC, and these offices live there


def spent(engine: sa.Engine) -> int:
    """Letters counted against today."""
    with db.reading(engine) as session:
        return session.scalar(sa.select(sa.func.sum(Spent.number)).where(Spent.width == 86400)) or 0


def urgent(engine: sa.Engine, key: str) -> None:
    """Let somebody wait for a mailing."""
    with db.writing(engine) as session:
        mailing = sa.select(Mailing.id).where(Mailing.key == key)
        session.execute(sa.update(Batch).where(Batch.mailing_id.in_(mailing)).values(lane=Lane.ONE))


def test_what_a_day_of_the_warm_up_does_not_hold_goes_on_the_next(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 30)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock, pace=Pace(warm_up=WarmUp(start=5, factor=2, ceiling=12)))
    per_day = []
    for _ in range(4):
        before = len(provider.accepted)
        send(office)
        send(office)
        per_day.append(len(provider.accepted) - before)
        clock.forward(timedelta(days=1))

    assert per_day == [5, 10, 12, 3]
    assert set(states(engine).values()) == {SENT}


def test_days_without_letters_do_not_warm_anything_up(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 30)
    provider = FakeProvider()
    office = an_office(
        engine, journals, provider, now=clock, pace=Pace(warm_up=WarmUp(start=5, factor=2, ceiling=1000))
    )
    send(office)
    clock.forward(timedelta(days=6))
    send(office)

    assert len(provider.accepted) == 5 + 10


def test_in_quiet_hours_nothing_goes_but_what_somebody_waits_for(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 5)
    a_mailing(engine, [a_member("m100@example.org"), a_member("m101@example.org")], key="confirmation")
    urgent(engine, "confirmation")
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=clock, pace=NOON)

    send(office)
    assert provider.addresses == ["m100@example.org", "m101@example.org"]
    with db.reading(engine) as session:
        assert set(session.scalars(sa.select(Batch.state).where(Batch.lane == Lane.MANY))) == {BatchState.OPEN}

    clock.forward(timedelta(hours=4))
    send(office)
    assert len(provider.accepted) == 7


def test_a_provider_with_no_room_is_passed_over_for_the_next(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 10)
    first, second = FakeProvider(), FakeProvider()
    office = an_office(engine, journals, first, second, now=clock, pace=Pace(per_day=4))

    send(office)

    assert (len(first.accepted), len(second.accepted)) == (4, 4)
    assert list(states(engine).values()).count(QUEUED) == 2


def test_what_was_granted_and_not_used_is_given_back(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    provider = FakeProvider()
    with db.writing(engine) as session:
        session.execute(sa.text("UPDATE subscription SET ended_at = since WHERE member_id = 2"))

    send(an_office(engine, journals, provider, now=clock, pace=Pace(per_day=100)))

    assert len(provider.accepted) == spent(engine) == 2


def test_a_draw_remembers_and_forgets_what_the_limits_need(engine: sa.Engine):
    pace = Pace(per_minute=10, per_hour=100, per_day=1000)
    moment = MOMENT
    for _ in range(40):
        with db.writing(engine) as session:
            question = Question(moment, UTC, wanted=7)
            answer = buckets.draw(session.connection(), "smtp", pace, question)
        moment = answer.until if isinstance(answer, Shut) else moment + timedelta(seconds=1)

    with db.reading(engine) as session:
        rows = session.scalars(sa.select(Spent).where(Spent.width == 1)).all()
    assert 0 < len(rows) <= 4
    assert moment > MOMENT + timedelta(minutes=5)


@pytest.mark.parametrize("stop_it", [control.pause, control.cancel])
def test_a_mailing_stopped_while_it_waits_leaves_the_workers_hands_within_a_second(
    engine: sa.Engine,
    journals: Path,
    stop_it,  # noqa: ANN001  either of two functions
    monkeypatch: pytest.MonkeyPatch,
):
    """The worker waits for most of an hour; the batch must be back long before."""
    monkeypatch.setattr("mailer.outbox.gate.PATIENCE", timedelta(hours=2))
    a_mailing(engine, 20)
    provider = FakeProvider()
    office = an_office(engine, journals, provider, now=lambda: datetime.now(UTC), pace=Pace(per_hour=3))

    def leased() -> bool:
        with db.reading(engine) as session:
            return BatchState.LEASED in session.scalars(sa.select(Batch.state)).all()

    async def until(what) -> None:  # noqa: ANN001  a question
        async with asyncio.timeout(PATIENCE):
            while not what():  # noqa: ASYNC110  the database tells nobody
                await asyncio.sleep(0.02)

    async def work() -> None:
        stop = asyncio.Event()
        worker = asyncio.create_task(run(office, stop))
        await until(lambda: len(provider.accepted) == 3)
        assert leased()
        with db.writing(engine) as session:
            stop_it(session.connection(), KEY)
        await until(lambda: not leased())
        stop.set()
        await worker

    asyncio.run(work())

    assert len(provider.accepted) == 3


def test_three_workers_together_stay_below_the_limits(engine: sa.Engine, tmp_path: Path):
    batch, pace = 200, Pace(per_second=40, per_day=200)
    url = engine.url.render_as_string(hide_password=False)
    worker = ("tests.mailer.outbox.paced", url, str(tmp_path), pace.model_dump_json(), "3")

    def given() -> list[str]:
        path = tmp_path / "given"
        return path.read_text().splitlines() if path.exists() else []

    def at_rest() -> bool:
        with db.reading(engine) as session:
            return BatchState.LEASED not in session.scalars(sa.select(Batch.state)).all()

    with ExitStack() as running:
        workers = [running.enter_context(started(*worker)) for _ in range(3)]
        wait_until(lambda: len(list((tmp_path / "journal").glob("*.journal"))) == len(workers))  # all at their desks
        a_mailing(engine, 3 * (LOW + batch), batch=batch)  # no two of them have it all on their desks
        wait_until(lambda: len(given()) >= pace.per_day and at_rest())
        for each in workers:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(PATIENCE) for each in workers] == [0, 0, 0]

    moments = [datetime.fromtimestamp(float(line.split()[0]), UTC) for line in given()]
    assert len(givers(tmp_path / "given")) == len(workers)
    assert len(moments) == pace.per_day
    # Whoever is stopped by the system between the leave and the note has one letter in hand.
    assert most_in_any(timedelta(seconds=1), moments) <= pace.per_second + len(workers)
    assert list(states(engine).values()).count(SENT) == pace.per_day
