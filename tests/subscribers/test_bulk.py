"""Many rows at once: the same values, however the database hands them out."""

import sqlalchemy as sa
from sqlmodel import Session, col

from subscribers import bulk
from subscribers.models import Member
from tests.builders import a_member

_MEMBERS = (
    sa.select(col(Member.id), col(Member.language), sa.type_coerce(Member.address, sa.LargeBinary))
    .where(col(Member.id) >= sa.bindparam("first"))
    .order_by(col(Member.id).desc())
)


def test_columns_are_the_rows_in_their_order_with_octets_and_nothing_as_they_are(session: Session):
    session.add_all([a_member("anna@example.org"), a_member(None), a_member("bo@example.org", language='s"v')])
    session.flush()

    columns = bulk.columns(session.connection(), _MEMBERS, {"first": 1})

    rows = [tuple(row) for row in session.connection().execute(_MEMBERS, {"first": 1})]
    assert list(zip(*columns, strict=True)) == rows
    assert [address is None for address in columns[2]] == [False, True, False]


def test_of_no_rows_there_are_columns_too(session: Session):
    assert [list(column) for column in bulk.columns(session.connection(), _MEMBERS, {"first": 1})] == [[], [], []]
