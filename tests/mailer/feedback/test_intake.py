"""What a mail asks for is done once, to the member whom the token names, and counted."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, select

from mailer.feedback import intake
from mailer.feedback.models import Feedback
from mailer.feedback.sorting import What, sort
from subscribers.models import Subscription, Suppression
from tests.builders import MOMENT
from tests.mailer.feedback import returned
from tests.mailer.feedback.returned import TOKENS, a_bounce, a_complaint

HOUR = timedelta(hours=1)


def take(session: Session, mail: bytes, *, later: timedelta = timedelta()) -> What:
    return intake.take(session, sort(mail, TOKENS), at=MOMENT + later, now=MOMENT + later)


def changed(session: Session) -> dict[str, int]:
    """Count what a mail could change."""
    ended = sa.select(sa.func.count()).where(Subscription.ended_at.is_not(None))  # type: ignore[union-attr]  # SQL
    return {
        "feedback": len(session.exec(select(Feedback)).all()),
        "suppressions": len(session.exec(select(Suppression)).all()),
        "ended": session.connection().scalar(ended) or 0,
    }


NOTHING = {"feedback": 0, "suppressions": 0, "ended": 0}


def test_a_bounce_is_one_event_however_often_and_wherever_it_is_told(session: Session, mailing: int) -> None:
    by_address, by_letter = a_bounce(returned.address(1, mailing)), a_bounce(about=returned.message_id(1, mailing))

    assert [take(session, mail) for mail in (by_address, by_letter, by_address)] == [What.BOUNCE] * 3

    event = session.exec(select(Feedback)).one()
    assert (event.member_id, event.mailing_id, event.source, event.status) == (1, mailing, "mailbox", "5.1.1")
    assert "anna" not in event.words
    assert changed(session) == {"feedback": 1, "suppressions": 1, "ended": 0}


def test_what_happened_did_so_when_the_mail_arrived_and_not_in_the_future(session: Session, mailing: int) -> None:
    bounce = sort(a_bounce(returned.address(1, mailing)), TOKENS)
    intake.take(session, bounce, at=MOMENT - HOUR, now=MOMENT)
    other = sort(a_bounce(returned.address(2, mailing)), TOKENS)
    intake.take(session, other, at=MOMENT + HOUR, now=MOMENT)

    assert [event.at for event in session.exec(select(Feedback).order_by(Feedback.member_id))] == [  # type: ignore[arg-type]  # SQL
        MOMENT - HOUR,
        MOMENT,
    ]


def test_a_complaint_ends_the_newsletters_and_a_good_word_nothing(session: Session, mailing: int) -> None:
    take(session, a_complaint(about=returned.message_id(1, mailing), kind="not-spam"))
    assert changed(session) == NOTHING

    take(session, a_complaint(about=returned.message_id(1, mailing)))
    assert [row.scope.value for row in session.exec(select(Suppression))] == ["bulk"]


def test_a_mail_that_unsubscribes_does_so(session: Session, mailing: int) -> None:
    assert take(session, returned.an_unsubscription(1, mailing)) is What.UNSUBSCRIBE
    assert changed(session) == {"feedback": 0, "suppressions": 0, "ended": 1}


def test_forged_unknown_and_expired_reports_are_counted_and_change_nothing(session: Session, mailing: int) -> None:
    forged, unknown = a_bounce("b-" + "a" * 28 + "@studs.example.org"), a_bounce(returned.address(99, mailing))
    another = a_complaint(about=returned.message_id(1, mailing + 1))
    late = a_bounce(returned.address(1, mailing))

    strays = [take(session, mail) for mail in (forged, unknown, another)]
    strays.append(take(session, late, later=intake.GOOD_FOR))

    assert strays == [What.STRAY] * 4
    assert changed(session) == NOTHING
    assert intake.counted(session)["stray"] == 4


def test_people_and_their_machines_change_nothing(session: Session, mailing: int) -> None:
    mails = (returned.a_reply(returned.address(1, mailing)), returned.an_auto_reply(returned.address(1, mailing)))

    assert [take(session, mail) for mail in mails] == [What.PERSON, What.AUTO_REPLY]
    assert changed(session) == NOTHING
    assert intake.counted(session) == {what.value: int(what in (What.PERSON, What.AUTO_REPLY)) for what in What}
