"""Members in a register with its reference lists."""

import pytest
from sqlmodel import Session

from subscribers.models import Member, Subscription
from tests.builders import MOMENT, a_district, a_member, a_topic


@pytest.fixture
def anna(session: Session) -> int:
    """An active member who subscribes to the weekly letter, beside the reference lists."""
    add_lists(session)
    return enrolled(session, a_member("anna@example.org", number="1"))


def add_lists(session: Session) -> None:
    session.add_all([a_district("bromma", "Bromma"), a_district("jarva", "Järva")])
    session.add_all([a_topic("skola", "Skola", "School"), a_topic("klimat", "Klimat", "Climate")])
    session.flush()


def enrolled(session: Session, member: Member, *publications: str) -> int:
    session.add(member)
    session.flush()
    assert member.id is not None
    for slug in publications or ("weekly",):
        session.add(Subscription(member_id=member.id, publication=slug, since=MOMENT))
    session.flush()
    return member.id
