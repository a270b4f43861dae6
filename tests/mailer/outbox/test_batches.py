"""Who holds which batch, where several ask for the same rows at once."""

import threading
from datetime import timedelta

import sqlalchemy as sa

from mailer import db
from mailer.outbox import batches
from mailer.outbox.batches import Lease, Terms
from mailer.outbox.models import Batch
from tests.builders import MOMENT
from tests.databases import ONLY_POSTGRESQL
from tests.mailer.outbox.posting import a_mailing
from tests.waiting import PATIENCE, wait_until


def leases(engine: sa.Engine, number: int) -> list[Lease]:
    """Lease so many batches of a mailing; the last comes first."""
    a_mailing(engine, number, batch=1)
    with db.writing(engine) as session:
        taken = [
            batches.take(session.connection(), owner="me", terms=Terms(), now=MOMENT + timedelta(seconds=n))
            for n in range(number)
        ]
    return [lease for lease in reversed(taken) if lease is not None]


def waits_for_a_lock(engine: sa.Engine) -> bool:
    with db.reading(engine) as session:
        waiting = "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
        here = "WHERE NOT granted AND datname = current_database())"
        return bool(session.scalar(sa.text(f"{waiting} {here}")))


@ONLY_POSTGRESQL
def test_whoever_locks_several_batches_does_so_in_one_order_and_none_wait_for_each_other(engine: sa.Engine):
    held = leases(engine, 2)
    ours: set[Lease] = set()

    def extend() -> None:
        with db.writing_beside(engine) as session:
            until = MOMENT + timedelta(hours=1)
            ours.update(batches.extend(session.connection(), held, owner="me", until=until))

    worker = threading.Thread(target=extend)
    with db.writing_beside(engine) as session:  # as an heir does: the lower id, then the higher one
        for lease in reversed(held):
            session.execute(sa.select(Batch.id).where(Batch.id == lease.batch).with_for_update())
            if lease is held[-1]:
                worker.start()
                wait_until(lambda: waits_for_a_lock(engine))
    worker.join(PATIENCE)

    assert ours == set(held)
