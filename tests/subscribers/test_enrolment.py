import json
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, select

from subscribers import access, address, consent, enrolment, preferences, suppression
from subscribers.errors import Refused
from subscribers.models import Cadence, Erased, Ground, Member, Scope, State, Suppression
from subscribers.preferences import Preferences
from subscribers.sealed import lookup_key
from tests.builders import a_member
from tests.subscribers.conftest import enrolled

SVEN = enrolment.Newcomer(address=address.parse("Sven@Example.org"), given_name="Sven")


def test_a_supporter_waits_until_they_confirm(session: Session, now: datetime):
    sven = enrolment.add(session, SVEN, publications=["weekly"], now=now)
    assert session.get_one(Member, sven).state is State.PENDING

    enrolment.confirm(session, sven, source="link", wording="v1", now=now)

    assert session.get_one(Member, sven).state is State.ACTIVE
    held = enrolment.export(session, sven)
    assert [row["kind"] for row in held["consents"]] == ["confirmed"]


def test_a_member_number_belongs_to_one(session: Session, anna: int, now: datetime):
    del anna
    twin = enrolment.Newcomer(address=SVEN.address, number="1", ground=Ground.MEMBER)

    with pytest.raises(Refused, match="number already"):
        enrolment.add(session, twin, publications=[], now=now)


def test_who_left_cannot_be_confirmed(session: Session, anna: int, now: datetime):
    enrolment.leave(session, anna, source="link", now=now)

    with pytest.raises(Refused, match="sign up anew"):
        enrolment.confirm(session, anna, source="link", wording="v1", now=now)


def test_leaving_the_register_ends_everything(session: Session, anna: int, now: datetime):
    enrolment.leave(session, anna, source="link", now=now)

    assert session.get_one(Member, anna).state is State.LEFT
    assert consent.withdrawn(session, [anna]) == {anna}


def test_erasing_leaves_an_empty_shell_and_hashes_apart_from_it(session: Session, anna: int, now: datetime):
    choices = Preferences(frozenset({"bromma"}), frozenset({"skola"}), "en", {"weekly": Cadence.MONTHLY}, True)
    preferences.change(session, anna, choices, source="link", now=now)
    consent.withdraw(session, anna, publication="weekly", source="link", now=now)

    enrolment.erase(session, anna, now)
    enrolment.erase(session, anna, now)

    shell = session.get_one(Member, anna)
    assert shell.model_dump(exclude={"id", "created_at", "changed_at"}) == Member(
        language="sv", state=State.ERASED, ground=Ground.MEMBER
    ).model_dump(exclude={"id", "created_at", "changed_at"})
    for table in ("member_district", "member_topic", "subscription", "consent"):
        count = sa.select(sa.func.count()).select_from(SQLModel.metadata.tables[table])
        assert session.connection().execute(count).scalar_one() == 0
    keys = {lookup_key("number", "1"), lookup_key("address", "anna@example.org")}
    assert set(session.exec(select(Erased.key))) == keys
    assert suppression.scope_of(session, lookup_key("address", "anna@example.org")) is Scope.ALL


def test_erasing_half_a_couple_does_not_silence_the_other(session: Session, anna: int, now: datetime):
    enrolled(session, a_member("anna@example.org", number="2", given_name="Bo"))

    enrolment.erase(session, anna, now)

    assert not suppression.is_suppressed(session, lookup_key("address", "anna@example.org"))


def test_someone_erased_may_come_back_once_they_are_let_in_again(session: Session, now: datetime):
    sven = enrolment.add(session, SVEN, publications=["weekly"], now=now)
    enrolment.erase(session, sven, now)

    assert enrolment.readmit(session, SVEN.address)
    assert not enrolment.readmit(session, SVEN.address)
    again = enrolment.add(session, SVEN, publications=["weekly"], now=now)

    assert again != sven
    assert session.exec(select(Erased)).all() == []
    assert session.exec(select(Suppression)).all() == []


def test_the_export_holds_every_column_about_a_person_but_the_hashes(session: Session, anna: int, now: datetime):
    choices = Preferences(frozenset({"bromma"}), frozenset({"skola"}), "en", {"weekly": Cadence.MONTHLY}, False)
    preferences.change(session, anna, choices, source="link", now=now)
    consent.withdraw(session, anna, publication=None, source="link", now=now)
    access.record(session, who="kim", what=access.Act.SHOW, member_id=anna, now=now)

    held = json.loads(json.dumps(enrolment.export(session, anna), default=str))

    assert set(Member.model_fields) - {"number_key", "address_key"} <= held.keys()
    assert held["address"] == "anna@example.org"
    assert (held["districts"], held["topics"]) == (["bromma"], ["skola"])
    assert [row["publication"] for row in held["publications"]] == ["weekly"]
    assert [row["kind"] for row in held["consents"]] == ["withdrawn"]
    assert [row["reason"] for row in held["suppressions"]] == ["left"]
    assert [(row["who"], row["what"]) for row in held["accesses"]] == [("kim", "show")]


def test_nothing_can_be_handed_out_about_nobody(session: Session, now: datetime):
    with pytest.raises(Refused, match="no member 999"):
        enrolment.export(session, 999)
    with pytest.raises(Refused, match="no member 999"):
        enrolment.erase(session, 999, now)
