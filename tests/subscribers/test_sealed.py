from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from subscribers import sealed
from subscribers.errors import Locked
from subscribers.models import Member
from tests.builders import KEYS, a_member


def test_a_sealed_column_is_read_back_and_stored_unreadable(session: Session):
    session.add(a_member("anna@example.org"))
    session.flush()

    stored = session.connection().execute(sa.text("SELECT address FROM member")).scalar_one()

    assert session.exec(select(Member)).one().address == "anna@example.org"
    assert b"anna" not in stored


@pytest.mark.parametrize(
    "question",
    [
        lambda: Member.address == "anna@example.org",
        lambda: col(Member.address).like("a%"),
        lambda: col(Member.address).in_(["anna@example.org"]),
        lambda: col(Member.address).desc(),
        lambda: col(Member.address) < "b",
    ],
)
def test_a_sealed_column_cannot_be_compared_or_ordered(question: Callable[[], object]):
    with pytest.raises(TypeError, match="keyed hash"):
        question()


def test_a_sealed_column_may_be_asked_whether_it_is_empty(session: Session):
    session.add_all([a_member(None), a_member("bo@example.org")])
    session.flush()

    assert len(session.exec(select(Member).where(col(Member.address).is_(None))).all()) == 1


def test_a_value_moved_to_another_column_does_not_open():
    with pytest.raises(Locked):
        sealed.open_sealed(sealed.seal("anna", "member.given_name"), "member.family_name")


def test_an_altered_value_does_not_open():
    value = bytearray(sealed.seal("anna", "member.given_name"))
    value[-1] ^= 1
    with pytest.raises(Locked):
        sealed.open_sealed(bytes(value), "member.given_name")


def test_a_value_sealed_under_an_older_key_opens_after_a_new_one_is_in_use():
    value = sealed.seal("anna", "member.given_name")
    sealed.unlock(sealed.Keys(seal={**KEYS.seal, 2: bytes(32)}, seal_with=2, lookup=KEYS.lookup))

    assert sealed.open_sealed(value, "member.given_name") == "anna"
    assert sealed.seal("anna", "member.given_name")[1] == 2


def test_the_same_text_has_another_hash_as_a_number_than_as_an_address():
    assert sealed.lookup_key("number", "x") != sealed.lookup_key("address", "x")


def test_a_query_for_a_sealed_column_can_be_asked_twice(session: Session):
    session.add(a_member("anna@example.org"))
    session.flush()

    for _ in range(2):  # the second time SQLAlchemy looks its columns up in what it kept of the first
        assert session.connection().execute(select(col(Member.id), col(Member.address))).all() == [
            (1, "anna@example.org")
        ]
