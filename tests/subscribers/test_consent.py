from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from subscribers import consent, suppression
from subscribers.errors import Refused
from subscribers.models import Consent, ConsentKind, Ground, Member, Scope, State, Subscription
from subscribers.sealed import lookup_key
from tests.builders import a_member
from tests.subscribers.conftest import enrolled

ANNAS = "anna@example.org"


def open_publications(session: Session, member_id: int) -> set[str]:
    query = select(Subscription.publication).where(
        Subscription.member_id == member_id, col(Subscription.ended_at).is_(None)
    )
    return set(session.exec(query))


def kinds(session: Session, member_id: int) -> list[ConsentKind]:
    return list(session.exec(select(Consent.kind).where(Consent.member_id == member_id).order_by(col(Consent.id))))


def test_leaving_a_publication_ends_it_and_keeps_the_evidence(session: Session, anna: int, now: datetime):
    assert consent.withdraw(session, anna, publication="weekly", source="link", now=now)

    assert open_publications(session, anna) == set()
    evidence = session.exec(select(Consent)).one()
    assert (evidence.kind, evidence.publication, evidence.source, evidence.at) == (
        ConsentKind.WITHDRAWN,
        "weekly",
        "link",
        now,
    )


@pytest.mark.parametrize("publication", ["weekly", None])
def test_leaving_twice_is_leaving_once(session: Session, anna: int, now: datetime, publication: str | None):
    consent.withdraw(session, anna, publication=publication, source="one-click", now=now)

    later = now + timedelta(days=1)
    assert not consent.withdraw(session, anna, publication=publication, source="one-click", now=later)
    assert kinds(session, anna) == [ConsentKind.WITHDRAWN]


def test_nobody_leaves_what_they_do_not_read(session: Session, anna: int, now: datetime):
    assert not consent.withdraw(session, anna, publication="events", source="link", now=now)
    assert not consent.withdraw(session, 999, publication=None, source="link", now=now)


def test_leaving_everything_suppresses_the_address_for_all_but_statutory_letters(
    session: Session, anna: int, now: datetime
):
    consent.withdraw(session, anna, publication=None, source="link", now=now)

    key = lookup_key("address", ANNAS)
    assert suppression.scope_of(session, key) is Scope.BULK
    assert suppression.is_suppressed(session, key)
    assert not suppression.is_suppressed(session, key, statutory=True)


def test_half_a_couple_leaves_and_the_other_goes_on_reading(session: Session, anna: int, now: datetime):
    bo = enrolled(session, a_member(ANNAS, number="2", given_name="Bo"))

    consent.withdraw(session, anna, publication=None, source="one-click", now=now)
    assert not suppression.is_suppressed(session, lookup_key("address", ANNAS))

    consent.withdraw(session, bo, publication=None, source="one-click", now=now)
    assert suppression.is_suppressed(session, lookup_key("address", ANNAS))


def test_a_member_who_wants_no_mail_is_still_a_member_and_a_supporter_is_gone(
    session: Session, anna: int, now: datetime
):
    sven = enrolled(session, a_member("sven@example.org", ground=Ground.SUPPORTER))
    for member in (anna, sven):
        consent.withdraw(session, member, publication=None, source="link", now=now)

    assert session.get_one(Member, anna).state is State.ACTIVE
    assert session.get_one(Member, sven).state is State.LEFT


def test_taking_back_opens_what_was_left_with_everything_and_no_more(session: Session, anna: int, now: datetime):
    session.add(Subscription(member_id=anna, publication="events", since=now))
    session.flush()
    consent.withdraw(session, anna, publication="events", source="link", now=now - timedelta(days=9))
    consent.withdraw(session, anna, publication=None, source="link", now=now)

    consent.give(session, anna, publication=None, source="link", wording="undo-1", now=now + timedelta(minutes=1))

    assert open_publications(session, anna) == {"weekly"}
    assert not suppression.is_suppressed(session, lookup_key("address", ANNAS))
    assert consent.withdrawn(session, [anna]) == set()


def test_a_supporter_who_left_comes_back_by_their_own_yes(session: Session, now: datetime):
    sven = enrolled(session, a_member("sven@example.org", ground=Ground.SUPPORTER))
    consent.withdraw(session, sven, publication=None, source="link", now=now)

    consent.give(session, sven, publication="weekly", source="link", wording="v1", now=now)

    assert session.get_one(Member, sven).state is State.ACTIVE
    assert open_publications(session, sven) == {"weekly"}
    assert kinds(session, sven) == [ConsentKind.WITHDRAWN, ConsentKind.GIVEN]


def test_leaving_everything_again_after_coming_back_counts(session: Session, anna: int, now: datetime):
    consent.withdraw(session, anna, publication=None, source="link", now=now)
    consent.give(session, anna, publication="weekly", source="link", wording="v1", now=now)

    assert consent.withdraw(session, anna, publication=None, source="link", now=now)
    assert open_publications(session, anna) == set()
    assert suppression.is_suppressed(session, lookup_key("address", ANNAS))


def test_coming_back_does_not_lift_what_a_complaint_suppressed(session: Session, anna: int, now: datetime):
    key = lookup_key("address", ANNAS)
    suppression.suppress(session, key, scope=Scope.BULK, reason="complaint", now=now)

    consent.give(session, anna, publication="weekly", source="link", wording="v1", now=now)

    assert suppression.is_suppressed(session, key)


def test_nobody_can_say_yes_for_someone_erased(session: Session, now: datetime):
    shell = enrolled(session, a_member(None, state=State.ERASED))

    with pytest.raises(Refused, match="sign up anew"):
        consent.give(session, shell, publication="weekly", source="link", wording="v1", now=now)
