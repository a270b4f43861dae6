from datetime import timedelta

import sqlalchemy as sa

from mailer import db
from mailer.outbox import ledger
from mailer.outbox.ledger import Line
from mailer.outbox.models import DeliveryState
from mailer.outbox.verdicts import Verdict
from tests.builders import MOMENT
from tests.mailer.outbox.posting import a_mailing, deliveries

SOON, LATER = MOMENT + timedelta(minutes=1), MOMENT + timedelta(minutes=5, microseconds=7)


def test_each_delivery_gets_its_own_of_what_a_group_does_not_share(engine: sa.Engine):
    a_mailing(engine, members=5)
    first, second, third, fourth, fifth = sorted(deliveries(engine))
    lines = [
        Line(first, Verdict(DeliveryState.SENT, answer='Ok: "A1" å\\', attempts=1), "smtp"),
        Line(second, Verdict(DeliveryState.QUEUED, "4.7.1", "later", SOON, attempts=1), "smtp"),
        Line(third, Verdict(DeliveryState.SENT, answer=None, attempts=1), "smtp"),
        Line(fourth, Verdict(DeliveryState.QUEUED, "4.7.1", "later", LATER, attempts=1), "smtp"),
        Line(fifth, Verdict(DeliveryState.UNCERTAIN, attempts=2, repeated=True), "postal"),
    ]

    with db.writing_beside(engine) as session:
        ledger.write(session.connection(), lines, over=DeliveryState.QUEUED, now=MOMENT)

    written = deliveries(engine)
    assert [(one.state, one.provider, one.code, one.answer, one.attempts) for one in written.values()] == [
        (line.verdict.state, line.provider, line.verdict.code, line.verdict.answer, line.verdict.attempts)
        for line in lines
    ]
    assert [one.due_at for one in written.values()] == [None, SOON, None, LATER, None]
    assert [one.settled_at for one in written.values()] == [MOMENT, None, MOMENT, None, MOMENT]
    assert [one.repeated for one in written.values()] == [False, False, False, False, True]


def test_what_is_settled_is_never_written_over(engine: sa.Engine):
    a_mailing(engine, members=2)
    first, second = sorted(deliveries(engine))

    with db.writing_beside(engine) as session:
        connection = session.connection()
        ledger.write(connection, [Line(first, Verdict(DeliveryState.SENT))], over=DeliveryState.QUEUED, now=MOMENT)
        both = [Line(each, Verdict(DeliveryState.FAILED)) for each in (first, second)]
        ledger.write(connection, both, over=DeliveryState.QUEUED, now=MOMENT)

    assert [one.state for one in deliveries(engine).values()] == [DeliveryState.SENT, DeliveryState.FAILED]
