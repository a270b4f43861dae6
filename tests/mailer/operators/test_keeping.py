"""Who asked for approval and who signed is kept as long as the records of what was sent, and no longer."""

from datetime import timedelta
from functools import partial

import sqlalchemy as sa
from sqlmodel import select

from mailer import db
from mailer.config.members import Retention
from mailer.members import retention
from mailer.operators.models import ApprovalRequest, ApprovalSignature
from tests.builders import MOMENT

KEPT = Retention()
LONG = KEPT.records + timedelta(days=1)


def a_request(number: int, *, days: int = 0) -> ApprovalRequest:
    at = MOMENT + timedelta(days=days)
    return ApprovalRequest(
        id=number, key="weekly:2024-W10", content="x", people=9, districts="*", asked_by="anna", asked_at=at
    )


def test_approvals_go_with_their_signatures_and_what_is_younger_stays(engine: sa.Engine):
    transaction = partial(db.writing, engine)
    with transaction() as session:
        session.add_all([a_request(1), a_request(2, days=10), a_request(3, days=20)])
        session.flush()
        session.add_all(
            ApprovalSignature(request_id=request, operator=who, way="link", signed_at=MOMENT)
            for request in (1, 2)
            for who in ("anna", "bo")
        )

    for now, waiting in ((MOMENT + KEPT.records, 0), (MOMENT + LONG, 1)):
        with transaction() as session:
            found = {one.what: one.due for one in retention.report(session, KEPT, now)}
        assert found["approvals"] == waiting
        assert retention.run(transaction, KEPT, now)["approvals"] == waiting

    with transaction() as session:
        assert set(session.exec(select(ApprovalRequest.id))) == {2, 3}
        assert [row.request_id for row in session.exec(select(ApprovalSignature))] == [2, 2]


def test_the_latest_stays_so_that_its_number_which_links_carry_is_never_given_again(engine: sa.Engine):
    transaction = partial(db.writing, engine)
    with transaction() as session:
        session.add_all([a_request(1), a_request(2)])

    assert retention.run(transaction, KEPT, MOMENT + LONG)["approvals"] == 1

    with transaction() as session:
        assert session.exec(select(ApprovalRequest.id)).all() == [2]
