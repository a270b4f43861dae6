"""Each (event, step, member) at most once, whoever rings, however often, and whatever falls in between."""

import itertools
import os
import signal
import threading
from argparse import Namespace

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.outbox.models import MailingState
from tests.databases import ONLY_SQLITE
from tests.mailer.reminders.conftest import Rally, at

STEP = "event:1:reminder-3d-before"
DUE = at("04-28 18:00")
READERS = 40


@pytest.fixture
def crowd(rally: Rally) -> Rally:
    for _ in range(READERS):
        rally.reader()
    rally.event()
    return rally


def everybody_once(rally: Rally) -> bool:
    [(deliveries, members, plans)] = rally.rows(
        "SELECT count(*), count(DISTINCT member_id), count(DISTINCT d.plan) FROM delivery d"
        " JOIN mailing m ON m.id = d.mailing_id AND m.plan = d.plan"
    )
    return (deliveries, members, plans) == (READERS, READERS, 1) and rally.mailings() == [STEP]


def killed_after(rally: Rally, database: str, commits: int) -> bool:
    """Let a clock in a process of its own ring, and fall after so many commits; returns whether it fell."""
    clock = os.fork()
    if clock == 0:
        try:
            engine, count = db.open_engine(database), itertools.count()
            sa.event.listen(engine, "commit", lambda _: next(count) < commits or os.kill(os.getpid(), signal.SIGKILL))
            Rally.ring(Namespace(engine=engine, settings=rally.settings, lease=rally.lease), DUE)  # type: ignore[arg-type]  # as much of one as is needed
        finally:
            os._exit(0)
    _, status = os.waitpid(clock, 0)
    return os.WIFSIGNALED(status)


def test_after_kill_9_at_any_commit_the_next_ring_finishes_and_nobody_gets_it_twice(crowd: Rally, database: str):
    assert [killed_after(crowd, database, commits) for commits in range(5)] == [
        True
    ] * 5  # each begins where the last fell

    crowd.ring(DUE)

    assert everybody_once(crowd)


def test_two_clocks_that_ring_at_once_send_it_once(crowd: Rally):
    together = threading.Barrier(2)

    def ring() -> None:
        together.wait()
        crowd.ring(DUE)

    clocks = [threading.Thread(target=ring) for _ in range(2)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    crowd.ring(DUE)

    assert everybody_once(crowd)


def test_rung_again_and_again_the_books_stay_as_they_are(crowd: Rally):
    crowd.ring(DUE)
    for minute in range(3):
        crowd.ring(DUE.replace(minute=minute))

    assert everybody_once(crowd)
    assert crowd.mailing(STEP).state is MailingState.PLANNED


@ONLY_SQLITE
def test_what_nobody_waits_for_costs_a_ring_few_questions(crowd: Rally):
    crowd.ring(DUE)
    asked: list[str] = []
    sa.event.listen(crowd.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    crowd.ring(DUE)

    assert len(asked) <= 40


def test_events_about_which_nothing_is_due_cost_a_ring_no_questions_of_their_own(rally: Rally):
    asked: list[str] = []
    rally.event()
    sa.event.listen(rally.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    rally.ring(at("04-10 12:00"))
    with_one = len(asked)
    for number in range(5):
        rally.event(title=f"Möte {number}")
    asked.clear()

    rally.ring(at("04-10 12:00"))

    assert len(asked) == with_one
