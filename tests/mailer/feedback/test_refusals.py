"""What is refused at the door, by a mail server or an API, becomes feedback like any other."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import db
from mailer.errors import AddressRefused, MessageRefused
from mailer.feedback import book, refusals
from mailer.feedback.causes import Cause, Verdict, verdict_of
from mailer.feedback.models import Feedback
from mailer.feedback.policy import Action
from mailer.outbox import ledger
from mailer.outbox.ledger import Line
from mailer.outbox.models import Delivery, DeliveryState
from mailer.outbox.verdicts import Attempt, judge
from mailer.providers import Outcome
from subscribers.models import Suppression
from tests.builders import MOMENT, a_member
from tests.mailer.outbox.posting import a_mailing
from tests.mailer.providers.test_documented_errors import ADDRESS, DOCUMENTED, MESSAGE, outcome


def judged(engine: sa.Engine, *outcomes: Outcome) -> list[Feedback]:
    """Write one outcome for each member into the books and return the feedback, in their order."""
    a_mailing(engine, [a_member(f"m{n}@example.org") for n in range(len(outcomes))], created_at=MOMENT)
    with db.writing(engine) as session:
        deliveries = session.exec(select(Delivery.id).order_by(Delivery.member_id)).all()
        lines = []
        for number, outcome in zip(deliveries, outcomes, strict=True):
            attempt = Attempt(number or 0, attempts=0, at=MOMENT, give_up_at=MOMENT + timedelta(days=1))
            lines.append(Line(number or 0, judge(outcome, attempt), "api"))
        ledger.write(session.connection(), lines, over=DeliveryState.QUEUED, now=MOMENT)
        for event in refusals.collect(session, now=MOMENT):
            book.take_in(session, event, now=MOMENT)
    with Session(engine) as session:
        return list(session.exec(select(Feedback).order_by(Feedback.member_id)))


def suppressed(engine: sa.Engine) -> int:
    with Session(engine) as session:
        return len(session.exec(select(Suppression)).all())


def documented(leads_to: str, data: Path) -> list[Outcome]:
    return [
        outcome(name, row[0], row[1], data) for name, rows in DOCUMENTED.items() for row in rows if row[2] == leads_to
    ]


def test_a_letter_that_any_api_refuses_for_its_content_blames_nobody(engine: sa.Engine, tmp_path: Path) -> None:
    outcomes = documented(MESSAGE, tmp_path)
    events = judged(engine, *outcomes)

    assert len(events) == len(outcomes)
    assert {event.action for event in events} == {Action.ALARM}
    assert suppressed(engine) == 0


def test_an_address_that_any_api_calls_none_is_dead(engine: sa.Engine, tmp_path: Path) -> None:
    events = judged(engine, *documented(ADDRESS, tmp_path))
    dead = [event for event in events if event.cause is not None and verdict_of(event.cause) is Verdict.HARD]

    assert {event.action for event in dead} == {Action.SUPPRESS}
    assert suppressed(engine) == len(dead)
    assert [event.cause for event in events if event not in dead] == [Cause.DISABLED]  # on a list of theirs


@pytest.mark.parametrize(
    "refusal",
    [
        MessageRefused("554 Transaction failed", code="554"),
        MessageRefused("550 5.7.1 User unknown, or we do not like you", code="5.7.1"),
        MessageRefused("It takes no letter without HTML.", code="plain"),
        AddressRefused("It loses letters before the @ that are not ASCII.", code="5.6.7"),
    ],
    ids=lambda refusal: refusal.code,
)
def test_in_doubt_a_refusal_is_our_own_fault(engine: sa.Engine, refusal: Outcome) -> None:
    (event,) = judged(engine, refusal)

    assert event.action is Action.ALARM
