"""Workers in processes of their own, killed as a power-hungry kernel would."""

import signal
from contextlib import ExitStack
from pathlib import Path

import sqlalchemy as sa

from mailer.outbox.models import DeliveryState, MailingState
from tests.mailer.outbox.posting import a_mailing, deliveries, states, the_mailing
from tests.mailer.outbox.workers import accepted, posting
from tests.waiting import PATIENCE, wait_until

MEMBERS, WORKERS = 900, 2


def test_after_kill_9_nobody_got_it_twice_and_nobody_is_lost(engine: sa.Engine, database: str, tmp_path: Path):
    a_mailing(engine, MEMBERS, batch=90)
    kills = 3
    for kill in range(kills):
        with ExitStack() as running:  # left by kill -9
            for _ in range(WORKERS):
                running.enter_context(posting(tmp_path, database))
            target = len(accepted(tmp_path)) + 140 + 17 * kill
            wait_until(lambda target=target: len(accepted(tmp_path)) >= target)
    with posting(tmp_path, database) as last:
        wait_until(lambda: the_mailing(engine).state is MailingState.DONE)
        last.send_signal(signal.SIGTERM)
        assert last.wait(PATIENCE) == 0

    got = accepted(tmp_path)
    assert len(got) == len(set(got))
    final = states(engine)
    sent = {f"m{member}@example.org" for member, state in final.items() if state is DeliveryState.SENT}
    uncertain = {f"m{member}@example.org" for member, state in final.items() if state is DeliveryState.UNCERTAIN}
    assert sent <= set(got) <= sent | uncertain
    assert len(sent) + len(uncertain) == MEMBERS == len(final)
    assert len(uncertain) <= kills * WORKERS  # one connection each
    assert list((tmp_path / "journal").iterdir()) == []


def test_sigterm_drains_and_leaves_nothing_uncertain(engine: sa.Engine, database: str, tmp_path: Path):
    a_mailing(engine, MEMBERS, batch=90)
    with posting(tmp_path, database) as worker:
        wait_until(lambda: len(accepted(tmp_path)) >= 100)

        worker.send_signal(signal.SIGTERM)

        assert worker.wait(PATIENCE) == 0
    got = accepted(tmp_path)
    sent = {f"m{member}@example.org" for member, row in deliveries(engine).items() if row.state is DeliveryState.SENT}
    assert sent == set(got)
    assert len(got) < MEMBERS
    assert set(states(engine).values()) == {DeliveryState.SENT, DeliveryState.QUEUED}
    assert list((tmp_path / "journal").iterdir()) == []
