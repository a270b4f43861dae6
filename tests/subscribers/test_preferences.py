from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlmodel import Session

from subscribers import consent, preferences
from subscribers.errors import Refused
from subscribers.models import Cadence, Member, State, Subscription
from subscribers.preferences import Preferences
from tests.builders import a_member
from tests.subscribers.conftest import enrolled

CHOICES = Preferences(
    districts=frozenset({"bromma", "jarva"}),
    topics=frozenset({"skola"}),
    language="en",
    cadence={"weekly": Cadence.MONTHLY},
    plain_only=True,
)


def test_what_was_chosen_is_read_back(session: Session, anna: int, now: datetime):
    preferences.change(session, anna, CHOICES, source="link", now=now)

    assert preferences.read(session, anna) == CHOICES


def test_choices_can_be_taken_away(session: Session, anna: int, now: datetime):
    preferences.change(session, anna, CHOICES, source="link", now=now)
    fewer = replace(CHOICES, districts=frozenset({"jarva"}), topics=frozenset())
    preferences.change(session, anna, fewer, source="link", now=now)

    assert preferences.read(session, anna) == fewer


def test_a_choice_says_by_whose_will_it_was_made(session: Session, anna: int, now: datetime):
    preferences.change(session, anna, CHOICES, source="secretary", now=now)

    assert session.get_one(Member, anna).chosen_by == "secretary"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"districts": frozenset({"bromma", "atlantis"})}, "There is no district atlantis."),
        ({"topics": frozenset({"gossip"})}, "There is no topic gossip."),
        ({"language": "sv\r\nBcc:"}, "There is no language"),
        ({"cadence": {"events": Cadence.WEEKLY}}, "does not subscribe to events"),
    ],
)
def test_what_does_not_exist_cannot_be_chosen_and_nothing_changes(
    session: Session, anna: int, now: datetime, wrong: dict[str, object], sentence: str
):
    before = preferences.read(session, anna)

    with pytest.raises(Refused, match=sentence):
        preferences.change(session, anna, replace(CHOICES, **wrong), source="link", now=now)

    assert preferences.read(session, anna) == before


def test_only_what_is_subscribed_to_has_a_cadence(session: Session, anna: int, now: datetime):
    consent.withdraw(session, anna, publication="weekly", source="link", now=now)

    found = preferences.read(session, anna)
    assert found is not None
    assert found.cadence == {}


def test_a_pause_is_set_and_ended(session: Session, anna: int):
    preferences.pause(session, anna, "weekly", date(2024, 8, 1))
    assert session.get_one(Subscription, (anna, "weekly")).paused_until == date(2024, 8, 1)

    preferences.pause(session, anna, "weekly", None)
    assert session.get_one(Subscription, (anna, "weekly")).paused_until is None


def test_who_is_unknown_or_erased_has_no_choices(session: Session, now: datetime):
    shell = enrolled(session, a_member(None, state=State.ERASED))

    for member in (shell, 999):
        assert preferences.read(session, member) is None
        with pytest.raises(Refused):
            preferences.change(session, member, CHOICES, source="link", now=now)
