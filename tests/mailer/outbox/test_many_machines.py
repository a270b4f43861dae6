"""Workers on machines of their own: they share the database and nothing else."""

import signal
from contextlib import ExitStack
from pathlib import Path

import sqlalchemy as sa

from mailer.outbox.models import DeliveryState, MailingState
from mailer.outbox.worker import LOW
from tests.databases import ONLY_POSTGRESQL
from tests.mailer.outbox.posting import a_mailing, states, the_mailing
from tests.mailer.outbox.workers import accepted, posting
from tests.waiting import PATIENCE, wait_until

MACHINES, BATCH = 3, 20
MEMBERS = MACHINES * (LOW + BATCH)  # two who are early cannot have it all on their desks


@ONLY_POSTGRESQL
def test_three_workers_send_one_mailing_once(engine: sa.Engine, database: str, tmp_path: Path):
    machines = [tmp_path / f"machine{number}" for number in range(MACHINES)]
    for machine in machines:
        machine.mkdir()
    with ExitStack() as running:
        workers = [running.enter_context(posting(machine, database, *machines)) for machine in machines]
        wait_until(lambda: all((machine / "accepted").exists() for machine in machines))  # all are at their desks
        a_mailing(engine, MEMBERS, batch=BATCH)
        wait_until(lambda: the_mailing(engine).state is MailingState.DONE)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(PATIENCE) for worker in workers] == [0] * MACHINES

    got = [accepted(machine) for machine in machines]
    everybody = [recipient for each in got for recipient in each]
    assert len(everybody) == len(set(everybody)) == MEMBERS == the_mailing(engine).candidates
    assert set(states(engine).values()) == {DeliveryState.SENT}
    assert all(got)  # each waits with its first answer until the others have a letter too
