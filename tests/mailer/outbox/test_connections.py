"""All workers on all hosts together have no more connections to a provider than it allows."""

import asyncio
import signal
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from mailer import db
from mailer.outbox import shares
from mailer.outbox.batches import Terms
from mailer.outbox.models import Share
from mailer.outbox.running import drain
from mailer.outbox.sharing import Claim
from mailer.providers import Desk
from tests.builders import MOMENT
from tests.fakes import FakeProvider
from tests.mailer.outbox.doorman import Doorman
from tests.mailer.outbox.posting import Clock, a_mailing, an_office, states
from tests.mailer.outbox.workers import started
from tests.waiting import PATIENCE, wait_until

LIMIT = 4
TERMS = Terms(timedelta(minutes=5))


class CountedProvider(FakeProvider):
    """A provider with connections, which notes how many it was to keep to when it was given letters."""

    connections = LIMIT

    def __init__(self) -> None:
        super().__init__()
        self.number = LIMIT
        self.carried_with: list[int] = []

    async def keep_to(self, number: int) -> None:
        self.number = number

    async def carry(self, desk: Desk) -> None:
        self.carried_with.append(self.number)
        await super().carry(desk)


def take(engine: sa.Engine, worker: str, opened: int = 0, *, after: timedelta = timedelta()) -> int:
    with db.writing(engine) as session:
        claim = Claim(worker, LIMIT, opened)
        return shares.take(session.connection(), "smtp", claim, terms=TERMS, now=MOMENT + after)


def held(engine: sa.Engine) -> dict[str, int]:
    with db.reading(engine) as session:
        return {row.worker: row.number for row in session.scalars(sa.select(Share))}


def test_three_workers_share_out_the_connections_of_a_provider(engine: sa.Engine, database: str, tmp_path: Path):
    """On PostgreSQL each is a host of its own, on SQLite they are processes of one."""
    alone = engine.dialect.name == "sqlite"
    folders = {name: tmp_path if alone else tmp_path / name for name in "abc"}
    a_mailing(engine, 3_300, batch=20)  # enough for minutes
    with Doorman() as door, ExitStack() as running:

        def start(name: str, folder: Path):  # noqa: ANN202  a process
            folder.mkdir(exist_ok=True)
            worker = ("tests.mailer.outbox.connecting", str(folder), database, str(door.port), name, str(LIMIT))
            return running.enter_context(started(*worker))

        first = start("a", folders["a"])
        wait_until(lambda: door.connected() == {"a": 4})
        second = start("b", folders["b"])
        wait_until(lambda: door.connected() == {"a": 2, "b": 2})
        third = start("c", folders["c"])
        wait_until(lambda: sorted(door.connected().values()) == [1, 1, 2])
        third.kill()
        third.wait()
        heir = start("d", folders["c"])
        wait_until(lambda: set(door.connected()) == {"a", "b", "d"} and sum(door.connected().values()) == LIMIT)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
        wait_until(lambda: door.connected() == {"a": 2, "d": 2})
        for worker in (first, heir):
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0

        assert door.most == LIMIT
    assert held(engine) == {}


def test_who_comes_gets_what_the_others_have_closed_and_not_before(engine: sa.Engine):
    assert take(engine, "a") == 4
    assert take(engine, "b") == 0
    assert take(engine, "a", opened=4) == 4  # it has not closed any yet
    assert take(engine, "a", opened=2) == 2
    assert take(engine, "b") == 2
    assert held(engine) == {"a": 2, "b": 2}


def test_what_a_worker_had_is_free_when_it_was_not_heard_of_for_too_long(engine: sa.Engine):
    assert take(engine, "a") == 4
    last = TERMS.lease + TERMS.grace
    assert take(engine, "b", after=last) == 0
    with db.writing(engine) as session:
        shares.renew(session.connection(), "b", terms=TERMS, now=MOMENT + last)
    assert take(engine, "b", after=last + timedelta(seconds=1)) == 4
    assert take(engine, "a", opened=4, after=last + timedelta(seconds=1)) == 0  # and it has to close all


def test_a_worker_without_a_connection_waits_and_nobody_takes_over(engine: sa.Engine, journals: Path, clock: Clock):
    a_mailing(engine, 3)
    assert take(engine, "another") == 4
    counted, next_one = CountedProvider(), FakeProvider()
    office = an_office(engine, journals, now=clock, smtp=counted, other=next_one)

    asyncio.run(drain(office))
    assert counted.accepted == next_one.accepted == []

    with db.writing(engine) as session:
        shares.leave(session.connection(), "another")
    asyncio.run(drain(office))
    assert len(counted.accepted) == len(states(engine)) == 3
    assert counted.carried_with == [LIMIT]
    assert counted.number == 0  # and closed them before it left them to others
    assert held(engine) == {}
