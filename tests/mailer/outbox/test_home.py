"""A database that was put back from a copy is noticed, and nothing is sent from it before a person says so."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.errors import Trouble
from mailer.outbox import control, home
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.home import RESTORED, Watermark
from mailer.outbox.models import Home, Mailing, MailingState
from tests.databases import ONLY_SQLITE
from tests.fakes import FakeProvider
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, send, the_mailing


@pytest.fixture
def watermark(journals: Path) -> Watermark:
    return Watermark.beside(journals)


def look(engine: sa.Engine, watermark: Watermark, clock: Clock) -> None:
    home.look_round(engine, watermark, now=clock())


def plan_on(engine: sa.Engine) -> None:
    with db.writing(engine) as session:
        session.execute(sa.update(Mailing).values(state=MailingState.PLANNED))


def test_a_database_that_stays_where_it_is_is_no_copy(engine: sa.Engine, watermark: Watermark, clock: Clock):
    a_mailing(engine, 1)

    for _ in range(3):
        look(engine, watermark, clock)

    assert the_mailing(engine).state is MailingState.PLANNED


@ONLY_SQLITE
def test_a_copy_of_the_file_starts_with_every_mailing_held(
    engine: sa.Engine, watermark: Watermark, clock: Clock, tmp_path: Path
):
    a_mailing(engine, 1)
    look(engine, watermark, clock)
    engine.dispose()
    original, copy = tmp_path / "utskick.db", tmp_path / "copy"
    copy.write_bytes(original.read_bytes())
    copy.replace(original)

    look(engine, watermark, clock)

    assert (the_mailing(engine).state, the_mailing(engine).reason) == (MailingState.HELD, RESTORED)
    plan_on(engine)
    look(engine, watermark, clock)
    assert the_mailing(engine).state is MailingState.PLANNED  # it is told once


def test_tables_that_were_made_anew_are_a_copy(engine: sa.Engine, watermark: Watermark, clock: Clock):
    a_mailing(engine, 1)
    look(engine, watermark, clock)
    with db.writing(engine) as session:
        session.execute(sa.update(Home).values(place="elsewhere"))

    look(engine, watermark, clock)

    assert the_mailing(engine).state is MailingState.HELD


def test_a_database_put_back_in_its_place_has_counted_fewer_leases_than_this_machine_remembers(
    engine: sa.Engine, journals: Path, watermark: Watermark, clock: Clock
):
    a_mailing(engine, 1)
    look(engine, watermark, clock)
    send(an_office(engine, journals, FakeProvider(), now=clock))
    look(engine, watermark, clock)
    assert the_mailing(engine).state is MailingState.DONE
    with db.writing(engine) as session:  # as it was before the mailing was sent
        session.execute(sa.update(Home).values(leases=0))
    plan_on(engine)

    look(engine, watermark, clock)

    assert the_mailing(engine).state is MailingState.HELD


class Busy(Watermark):
    """A mark that rises at the very moment at which it is read, as another worker has just leased a batch."""

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        super().__init__(path)
        self._engine = engine

    def read(self) -> int:
        with db.writing_beside(self._engine) as session:
            number = session.scalar(sa.update(Home).values(leases=Home.leases + 1).returning(Home.leases))
        self.rise_to(number or 0)
        return super().read()


def test_a_lease_of_another_worker_at_that_moment_makes_no_copy_of_a_database(
    engine: sa.Engine, journals: Path, watermark: Watermark, clock: Clock
):
    a_mailing(engine, 1)
    journals.mkdir()
    look(engine, watermark, clock)

    look(engine, Busy(journals.with_name("watermark"), engine), clock)

    assert the_mailing(engine).state is MailingState.PLANNED


def test_what_is_held_after_a_restore_is_sent_when_a_person_says_so(
    engine: sa.Engine, journals: Path, watermark: Watermark, clock: Clock
):
    a_mailing(engine, 1)
    look(engine, watermark, clock)
    with db.writing(engine) as session:
        home.begin_anew(session, watermark, now=clock())
    provider = FakeProvider()
    send(an_office(engine, journals, provider, now=clock))
    assert provider.accepted == []

    with db.writing(engine) as session:
        control.resume(session.connection(), KEY, now=clock())
    send(an_office(engine, journals, provider, now=clock))

    assert provider.addresses == ["m1@example.org"]


def test_a_mailing_that_the_copy_does_not_know_is_late_when_its_time_had_come_before_the_restore(
    engine: sa.Engine, watermark: Watermark, clock: Clock
):
    look(engine, watermark, clock)
    with db.writing(engine) as session:
        home.begin_anew(session, watermark, now=clock())
    times = {"before": clock() - timedelta(hours=1), "after": clock() + timedelta(hours=1)}
    grace = timedelta(hours=12)

    with db.writing(engine) as session:
        for key, send_at in times.items():
            values = {"send_at": send_at, "late_at": send_at + grace, "created_at": clock()}
            assert open_mailing(session, Mailing(key=key, publication="weekly", letter="digest", **values))

    with db.reading(engine) as session:
        found = dict(session.execute(sa.select(Mailing.key, Mailing.late_at)).all())
    assert found == {"before": times["before"], "after": times["after"] + grace}


def test_a_worker_that_sends_while_the_database_is_put_back_sends_nothing_more(
    engine: sa.Engine, journals: Path, clock: Clock
):
    a_mailing(engine, 300, batch=10)
    provider = FakeProvider()

    def put_back() -> None:
        if len(provider.accepted) == 5:
            with db.writing(engine) as session:
                session.execute(sa.update(Home).values(leases=-1))

    provider.between = put_back
    with pytest.raises(Trouble, match="put back"):
        send(an_office(engine, journals, provider, now=clock))
    sent = len(provider.accepted)
    send(an_office(engine, journals, provider, now=clock))

    assert len(provider.accepted) == sent
    assert the_mailing(engine).state is MailingState.HELD
