"""What is composed ahead is what would be composed in its turn, and one member's trouble is nobody else's."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer.config import Settings
from mailer.message import Message
from mailer.outbox.ahead import compose_ahead
from mailer.outbox.clerk import Clerk
from mailer.outbox.compose import Composer
from mailer.outbox.journal import Journal
from mailer.outbox.manifest import Hand
from mailer.outbox.office import Office
from tests.builders import a_member
from tests.mailer.outbox.posting import SETTINGS, Clock, a_mailing, an_office

WITH_RETURNS = SETTINGS.model_copy(
    update={"feedback": SETTINGS.feedback.model_copy(update={"bounce_domain": "studs.example.org"})}
)


def lease(office: Office) -> Hand:
    journal = Journal(office.journals, boot_id="a" * 36)
    hand = Clerk(office.engine, journal, terms=office.terms, give_up_after=office.give_up_after, now=office.now).lease()
    assert hand is not None
    return hand


def in_turn(composer: Composer, hand: Hand) -> list[Message]:
    return [
        composer.message(composer.prepare(hand.occasion, letter.content, len(letter.held)), hand.occasion, letter)
        for letter in hand.letters
    ]


@pytest.mark.parametrize("settings", [SETTINGS, WITH_RETURNS])
def test_letters_composed_ahead_are_the_same_bytes(engine: sa.Engine, tmp_path: Path, settings: Settings):
    people = [
        a_member(given_name=name, address=f"m{n}@example.org") for n, name in enumerate(["Zoë", "", "<b>.", "Bo"])
    ]
    a_mailing(engine, [*people, a_member(given_name="Åke", address="åke@malmö.example")])
    office = an_office(engine, tmp_path, now=Clock(), settings=settings)
    hand = lease(office)

    ready = compose_ahead(office.composer, hand.occasion, hand.letters)

    assert [each and each.message() for each in ready] == in_turn(office.composer, hand)


def test_a_household_and_whoever_is_gone_are_left_to_their_turn(engine: sa.Engine, tmp_path: Path):
    home, others = [a_member(), a_member()], [a_member("bo@example.org"), a_member("cy@example.org")]
    a_mailing(engine, [*home, *others], households=[(1, 2)])
    office = an_office(engine, tmp_path, now=Clock())
    hand = lease(office)
    shared, third, fourth = hand.letters
    gone = fourth._replace(held=(fourth.held[0]._replace(recipient=None),))

    ready = compose_ahead(office.composer, hand.occasion, [shared, third, gone])

    assert [each is not None for each in ready] == [False, True, False]


def test_an_address_that_can_stand_in_no_mail_leaves_its_neighbours_to_their_turn(engine: sa.Engine, tmp_path: Path):
    a_mailing(engine, 2)
    office = an_office(engine, tmp_path, now=Clock())
    hand = lease(office)
    good, bad = hand.letters
    recipient = bad.held[0].recipient
    assert recipient is not None
    bad = bad._replace(held=(bad.held[0]._replace(recipient=recipient._replace(address="no address")),))

    assert compose_ahead(office.composer, hand.occasion, [good, bad]) == [None, None]


def test_a_content_that_cannot_be_rendered_is_left_to_its_turn(engine: sa.Engine, tmp_path: Path):
    a_mailing(engine, 2)
    office = an_office(engine, tmp_path, now=Clock())
    hand = lease(office)
    unknown = replace(hand.occasion, letter="short")

    assert compose_ahead(office.composer, unknown, hand.letters) == [None, None]
