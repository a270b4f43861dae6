"""A whole installation moves to PostgreSQL: nothing missing, nothing changed, nothing sent twice."""

import pytest
import sqlalchemy as sa

from mailer import db, moving
from mailer.errors import Mistake, Trouble
from mailer.outbox.models import Batch, BatchState, Mailing, MailingState
from mailer.queue import schema
from mailer.sentences import quiet
from subscribers.models import Member
from tests.builders import a_member, a_news_item
from tests.databases import ONLY_SQLITE
from tests.mailer.outbox.posting import a_mailing
from tests.postgres import Cluster

pytestmark = ONLY_SQLITE


@pytest.fixture
def target(postgres: Cluster) -> sa.Engine:
    return db.open_engine(postgres.url(postgres.create()))


@pytest.fixture
def source(engine: sa.Engine) -> sa.Engine:
    a_mailing(engine, 30, batch=7, households=[(1, 2)])
    with db.writing(engine) as session:
        session.add(a_news_item())
        session.add(a_member("åsa@example.org", given_name="Åsa", number="17"))
        session.add(
            Mailing(
                key="done",
                publication="weekly",
                letter="note",
                created_at=a_member().created_at,
                state=MailingState.DONE,
            )
        )
    return engine


def test_all_arrives_as_it_was_and_what_was_to_be_sent_is_held_on_both_sides(source: sa.Engine, target: sa.Engine):
    accounts = moving.move(source, target, quiet)

    db.require_current(target)
    schema.require_current(target)
    assert accounts["member"].rows == 31
    assert accounts["delivery"].rows == 30
    for engine in (source, target):
        with db.reading(engine) as session:
            states = dict(session.execute(sa.select(Mailing.key, Mailing.state)).all())
            assert sorted(states.values()) == [MailingState.DONE, MailingState.HELD]
            assert "åsa@example.org" in session.scalars(sa.select(Member.address)).all()
    with db.writing(target) as session:  # ids go on where they were
        session.add(a_member("new@example.org"))
        session.flush()
        assert session.scalar(sa.select(sa.func.max(Member.id))) == 32


def test_every_table_of_the_database_is_moved(source: sa.Engine):
    names = set(sa.inspect(source).get_table_names()) - {"alembic_version"}

    assert {table.name for table in moving.tables()} == names


def test_an_interrupted_move_leaves_no_database_to_work_on_and_is_begun_anew(source: sa.Engine, target: sa.Engine):
    def stop(step: str, _done: int, _of: int | None) -> None:
        if step == "Comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(source, target, stop)
    with pytest.raises(Mistake, match="db move"):
        db.require_current(target)

    assert moving.move(source, target, quiet)["delivery"].rows == 30


def test_a_database_that_holds_something_is_refused(source: sa.Engine, target: sa.Engine):
    moving.move(source, target, quiet)

    with pytest.raises(Mistake, match="empty"):
        moving.move(source, target, quiet)


def test_sqlite_is_no_place_to_move_to(source: sa.Engine):
    with pytest.raises(Mistake, match="PostgreSQL"):
        moving.move(source, source, quiet)


def test_nothing_moves_while_letters_are_being_sent(source: sa.Engine, target: sa.Engine):
    with db.writing(source) as session:
        session.execute(sa.update(Batch).where(sa.column("id") == 1).values(state=BatchState.LEASED))

    with pytest.raises(Mistake, match="stop the workers"):
        moving.move(source, target, quiet)


def test_a_row_that_changed_on_its_way_is_found(source: sa.Engine, target: sa.Engine):
    def meddle(step: str, done: int, _of: int | None) -> None:
        if step == "Comparing" and done == 1:
            with db.writing(target) as session:
                session.execute(sa.text("UPDATE delivery SET attempts = 1 WHERE id = 3"))

    with pytest.raises(Trouble, match="delivery"):
        moving.move(source, target, meddle)
