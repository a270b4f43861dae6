"""What stops a statutory letter, and what does not."""

from datetime import date, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from subscribers import address, audience, consent
from subscribers.models import Ground, Scope, State, Subscription, Suppression
from subscribers.recipient import why_not
from subscribers.streams import Stream
from tests.builders import MOMENT, a_member

CALL = {"publication": "calls", "stream": Stream.STATUTORY}


def enrol(session: Session, **values: object) -> int:
    count = session.scalar(sa.text("SELECT count(*) FROM member"))
    member = a_member(f"m{count}@example.org", **values)
    session.add(member)
    session.flush()
    session.add(Subscription(member_id=member.id, publication="weekly", since=MOMENT, paused_until=date(2030, 1, 1)))
    session.flush()
    assert member.id is not None
    return member.id


def suppress(session: Session, number: int, scope: Scope) -> None:
    key = address.parse(f"m{number - 1}@example.org").key
    session.add(Suppression(address_key=key, scope=scope, reason="complaint", at=MOMENT))
    session.flush()


def called(session: Session, now: datetime) -> list[int]:
    found = audience.pages(session.connection(), **CALL, now=now, size=2)
    return [number for page in found for reader in page for number in reader.household]


def test_neither_opting_out_nor_a_bulk_suppression_stops_a_statutory_letter(session: Session, now: datetime):
    everyone = [enrol(session) for _ in range(5)]
    consent.withdraw(session, everyone[0], publication=None, source="link", now=now)
    suppress(session, everyone[1], Scope.BULK)

    assert called(session, now) == everyone
    assert audience.allowed(session.connection(), **CALL, member_ids=everyone, now=now) == set(everyone)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": State.PENDING}, "pending"),
        ({"state": State.LEFT}, "left"),
        ({"ground": Ground.SUPPORTER}, "supporter"),
        ({}, "suppressed"),
    ],
)
def test_an_all_suppression_and_not_being_a_member_stop_it(
    session: Session, now: datetime, values: dict[str, object], reason: str
):
    number, member = enrol(session, **values), enrol(session)
    if not values:
        suppress(session, number, Scope.ALL)

    connection = session.connection()
    assert called(session, now) == [member]
    assert audience.allowed(connection, **CALL, member_ids=[number, member], now=now) == {member}
    assert why_not(connection, **CALL, member_ids=[number], now=now) == {number: reason}


def test_its_readers_have_their_districts_and_share_a_mail_like_any(session: Session, now: datetime):
    first, second = enrol(session), enrol(session)
    session.execute(sa.text("UPDATE member SET address_key = (SELECT address_key FROM member WHERE id = 1)"))

    reader = audience.one(session.connection(), **CALL, member_id=second, now=now)

    assert reader is not None
    assert reader.household == (first, second)
