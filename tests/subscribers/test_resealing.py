"""After a rotation nothing is left under the old key, and nothing that changed meanwhile is overwritten."""

import sqlalchemy as sa
from sqlmodel import Session

from subscribers import resealing, sealed
from subscribers.models import AddressChange, Consent, ConsentKind, Member
from tests.builders import KEYS, MOMENT, a_member

NEW = sealed.Keys(seal={**KEYS.seal, 2: bytes(32)}, seal_with=2, lookup=KEYS.lookup)


def reseal(session: Session) -> int:
    total = 0
    for place in resealing.places():
        after: resealing.Key | None = None
        while True:
            after, changed = resealing.reseal_some(session, place, after)
            total += changed
            if after is None:
                break
    return total


def ids_of_keys(session: Session) -> set[int]:
    columns = (("address", "member"), ("evidence", "consent"), ("address", "address_change"))
    stored = " UNION ALL ".join(f"SELECT {column} FROM {table}" for column, table in columns)  # noqa: S608  # ours
    return {bytes(value)[1] for (value,) in session.execute(sa.text(stored)) if value is not None}


def test_everything_is_sealed_anew_page_by_page_and_opens_with_the_new_key_alone(session: Session):
    session.add_all(a_member(f"m{n}@example.org", id=n, family_name=None) for n in range(1, 1002))
    session.flush()
    session.add(Consent(member_id=7, kind=ConsentKind.GIVEN, at=MOMENT, source="form", evidence="on paper"))
    session.add(AddressChange(member_id=8, address="ny@example.org", asked_at=MOMENT))
    session.flush()
    sealed.unlock(NEW)

    assert reseal(session) == 1003
    assert reseal(session) == 0

    assert ids_of_keys(session) == {2}
    sealed.unlock(sealed.Keys(seal={2: bytes(32)}, seal_with=2, lookup=KEYS.lookup))
    session.expunge_all()
    assert session.get_one(Member, 1001).address == "m1001@example.org"


def test_every_table_with_something_sealed_is_found():
    found = {place.table.name for place in resealing.places()}

    assert {"member", "consent", "import_row", "mailing", "address_change"} <= found
