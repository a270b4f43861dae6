"""An event is kept once, and does what the policy says, to the address of the member that our own token named."""

from datetime import datetime, timedelta
from typing import get_args

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import db
from mailer.feedback import book, listing, refusals, runs
from mailer.feedback.causes import Cause
from mailer.feedback.events import Event
from mailer.feedback.models import Feedback, Kind, Standing
from mailer.feedback.policy import BOUNCE_LEAST, FAULT_LEAST, OUTAGE_LEAST
from mailer.outbox import control
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState
from subscribers import enrolment, suppression
from subscribers.models import Member, Scope, State, Subscription
from tests.builders import MOMENT, a_member
from tests.mailer.outbox.posting import a_mailing

DAY = timedelta(days=1)
TODAY = MOMENT.date()


def an_event(member: int = 1, mailing: int = 1, cause: Cause = Cause.UNKNOWN_USER, **values: object) -> Event:
    defaults: dict[str, object] = {
        "key": f"{member}-{mailing}-{cause}",
        "kind": Kind.BOUNCE,
        "source": "mailbox",
        "at": MOMENT,
        "cause": cause,
    }
    return Event(member=member, mailing=mailing, **(defaults | values))  # type: ignore[arg-type]  # the test's own


def scope(session: Session, member: int) -> Scope | None:
    found = session.get_one(Member, member)
    assert found.address_key is not None
    return suppression.scope_of(session, found.address_key)


def test_a_dead_mailbox_is_given_up_and_the_others_are_not(session: Session, mailing: int) -> None:
    assert book.take_in(session, an_event(1, mailing), now=MOMENT)

    assert [scope(session, member) for member in (1, 2, 3)] == [Scope.ALL, None, None]


@pytest.mark.parametrize("sent", [True, False])
def test_what_comes_back_from_an_older_address_says_nothing_of_the_new_one(
    session: Session,
    mailing: int,
    sent: bool,  # noqa: FBT001  # a row of the table
) -> None:
    """They changed it because it was dead, and the server tried for days before it said so."""
    delivery = session.exec(select(Delivery).where(Delivery.member_id == 1)).one()
    delivery.settled_at = MOMENT - DAY if sent else None
    session.get_one(Member, 1).address_since = MOMENT
    book.take_in(session, an_event(1, mailing, at=MOMENT + DAY if sent else MOMENT - DAY), now=MOMENT + DAY)
    assert scope(session, 1) is None

    delivery.settled_at = MOMENT + DAY
    again = an_event(1, mailing, key="again", at=MOMENT + 2 * DAY)
    book.take_in(session, again, now=MOMENT + 2 * DAY)
    assert scope(session, 1) is Scope.ALL


def test_an_event_told_twice_is_kept_once(session: Session, mailing: int) -> None:
    event = an_event(1, mailing, Cause.FULL)

    assert book.take_in(session, event, now=MOMENT)
    assert not book.take_in(session, event, now=MOMENT + DAY)
    assert len(session.exec(select(Feedback)).all()) == 1


def test_a_complaint_stops_all_but_statutory_letters(session: Session, mailing: int) -> None:
    book.take_in(session, an_event(2, mailing, kind=Kind.COMPLAINT, cause=None), now=MOMENT)

    assert scope(session, 2) is Scope.BULK


def test_what_happened_counts_in_the_order_in_which_it_happened(session: Session, mailing: int) -> None:
    """The second strike of an unknown host is told before the first."""
    late = an_event(1, mailing, Cause.UNKNOWN_HOST, key="late", at=MOMENT + 2 * DAY)
    early = an_event(1, mailing, Cause.UNKNOWN_HOST, key="early", at=MOMENT)

    book.take_in(session, late, now=MOMENT + 2 * DAY)
    assert scope(session, 1) is None
    book.take_in(session, early, now=MOMENT + 3 * DAY)
    assert scope(session, 1) is None  # it says nothing of what came after it
    book.take_in(session, an_event(1, mailing, Cause.UNKNOWN_HOST, key="later", at=MOMENT + 4 * DAY), now=MOMENT)
    assert scope(session, 1) is Scope.ALL


def test_our_own_fault_is_told_and_counts_against_nobody(session: Session, mailing: int) -> None:
    book.take_in(session, an_event(1, mailing, Cause.BLOCKED), now=MOMENT)

    assert scope(session, 1) is None
    assert [told.action for told in listing.events(session, mailing=None, member=None, held=False)] == ["alarm"]


@pytest.mark.parametrize("member", [999, 0])
def test_a_stranger_is_nobody(session: Session, mailing: int, member: int) -> None:
    book.take_in(session, an_event(member, mailing), now=MOMENT)

    assert not suppression.everything(session)


def test_whoever_was_erased_stays_forgotten(session: Session, mailing: int) -> None:
    enrolment.erase(session, 1, MOMENT)
    before = len(suppression.everything(session))

    book.take_in(session, an_event(1, mailing), now=MOMENT + DAY)

    assert len(suppression.everything(session)) == before
    kept = session.exec(select(Feedback)).one()
    assert kept.address_key is None
    assert kept.host_key is None


def test_a_mail_that_arrived_in_between_resets_the_count(engine: sa.Engine) -> None:
    def soft(session: Session, week: int) -> None:
        at = MOMENT + week * 7 * DAY
        book.take_in(session, an_event(1, numbers[week], Cause.FULL, key=f"w{week}", at=at), now=at)

    numbers = [a_mailing(engine, 1, key="weekly:2024-W10")]
    with db.writing(engine) as session:
        for week in range(1, 10):
            mailing = Mailing(
                key=f"weekly:2024-W{10 + week}", publication="weekly", letter="note", plan=1, created_at=MOMENT
            )
            session.add(mailing)
            session.flush()
            numbers.append(mailing.id or 0)
            arrived = {"state": DeliveryState.SENT, "settled_at": MOMENT + week * 7 * DAY} if week == 3 else {}
            session.add(Delivery(mailing_id=numbers[-1], plan=1, member_id=1, variant_id=1, **arrived))
        for week in (0, 1, 2, 4, 5):  # with the third one counted, five mailings over five weeks
            soft(session, week)
        assert scope(session, 1) is None
        for week in (6, 7, 8):
            soft(session, week)
        assert scope(session, 1) is Scope.ALL


def refused(engine: sa.Engine, code: str, answer: str, at: datetime = MOMENT) -> None:
    with db.writing(engine) as session:
        delivery = session.exec(select(Delivery).where(Delivery.member_id == 1)).one()
        delivery.state, delivery.code, delivery.answer = DeliveryState.FAILED, code, answer
        delivery.settled_at, delivery.provider = at, "smtp"


def test_a_refusal_at_the_door_is_feedback_like_any_other(engine: sa.Engine, mailing: int) -> None:
    del mailing
    refused(engine, "5.1.1", "550 5.1.1 [address]: User unknown")

    with db.writing(engine) as session:
        events = refusals.collect(session, now=MOMENT)
        for event in events:
            book.take_in(session, event, now=MOMENT)
        assert scope(session, 1) is Scope.ALL
        assert refusals.collect(session, now=MOMENT) == []


@pytest.mark.parametrize(("code", "answer"), [("compose", "The subject is empty"), ("person", None)])
def test_what_failed_here_says_nothing_of_the_address(
    engine: sa.Engine, mailing: int, code: str, answer: str | None
) -> None:
    del mailing
    refused(engine, code, answer or "")

    with db.writing(engine) as session:
        assert refusals.collect(session, now=MOMENT) == []


def many(engine: sa.Engine, count: int, host: str = "example.org") -> int:
    people = [a_member(f"m{n}@{host}") for n in range(1, count + 1)]
    mailing = a_mailing(engine, people, created_at=MOMENT - DAY)
    with db.writing(engine) as session:
        session.connection().execute(sa.update(Delivery).values(state=DeliveryState.SENT, settled_at=MOMENT))
    return mailing


def test_when_many_mailboxes_of_a_host_die_at_once_a_person_decides(engine: sa.Engine) -> None:
    mailing = many(engine, OUTAGE_LEAST + 5)
    with db.writing(engine) as session:
        for member in range(1, OUTAGE_LEAST + 1):
            book.take_in(session, an_event(member, mailing), now=MOMENT)
        assert scope(session, 1) is Scope.ALL

        runs.watch(session, since=MOMENT - DAY, now=MOMENT)
        assert scope(session, 1) is None
        assert len(runs.held(session, mailing)) == OUTAGE_LEAST
        book.take_in(session, an_event(OUTAGE_LEAST + 1, mailing), now=MOMENT)  # it waits from the start
        assert scope(session, OUTAGE_LEAST + 1) is None

        book.release(session, runs.held(session, mailing), now=MOMENT)
        assert scope(session, 1) is Scope.ALL
        assert scope(session, OUTAGE_LEAST + 1) is Scope.ALL


def test_an_outage_that_was_dismissed_counts_no_more(engine: sa.Engine) -> None:
    mailing = many(engine, OUTAGE_LEAST)
    with db.writing(engine) as session:
        for member in range(1, OUTAGE_LEAST + 1):
            book.take_in(session, an_event(member, mailing, Cause.UNKNOWN_HOST), now=MOMENT)
        book.dismiss(session.exec(select(Feedback)).all())

        again = an_event(1, mailing, Cause.UNKNOWN_HOST, key="again", at=MOMENT + 7 * DAY)
        book.take_in(session, again, now=MOMENT + 7 * DAY)

        assert scope(session, 1) is None


def test_a_mailing_that_goes_wrong_stops(engine: sa.Engine) -> None:
    mailing = many(engine, BOUNCE_LEAST + 10)
    with db.writing(engine) as session:
        for member in range(1, BOUNCE_LEAST + 1):
            book.take_in(session, an_event(member, mailing, Cause.FULL), now=MOMENT)
        runs.watch(session, since=MOMENT - DAY, now=MOMENT)

        stopped = session.get_one(Mailing, mailing)
        assert stopped.state is MailingState.HELD
        assert "came back" in stopped.reason


@pytest.mark.parametrize("cause", [Cause.BLOCKED, Cause.CONTENT])
def test_a_mailing_that_is_refused_for_what_we_did_stops_and_nobody_is_blamed(engine: sa.Engine, cause: Cause) -> None:
    mailing = many(engine, FAULT_LEAST)
    with db.writing(engine) as session:
        for member in range(1, FAULT_LEAST + 1):
            book.take_in(session, an_event(member, mailing, cause), now=MOMENT)
        runs.watch(session, since=MOMENT - DAY, now=MOMENT)

        assert session.get_one(Mailing, mailing).state is MailingState.HELD
        assert not any(scope(session, member) for member in range(1, FAULT_LEAST + 1))


def test_what_a_person_let_go_on_is_not_stopped_again_for_the_same(engine: sa.Engine) -> None:
    """But for as much again."""
    mailing = many(engine, 2 * BOUNCE_LEAST)
    with db.writing(engine) as session:
        for member in range(1, BOUNCE_LEAST + 1):
            book.take_in(session, an_event(member, mailing, Cause.FULL), now=MOMENT)
        runs.watch(session, since=MOMENT - DAY, now=MOMENT)
        key = session.get_one(Mailing, mailing).key
        control.resume(session.connection(), key, now=MOMENT)
        later = MOMENT + timedelta(minutes=1)
        for member in range(BOUNCE_LEAST + 1, 2 * BOUNCE_LEAST):
            book.take_in(session, an_event(member, mailing, Cause.FULL), now=later)
        runs.watch(session, since=MOMENT - DAY, now=later)
        session.expire_all()
        assert session.get_one(Mailing, mailing).state is MailingState.PLANNED

        book.take_in(session, an_event(2 * BOUNCE_LEAST, mailing, Cause.FULL), now=later)
        runs.watch(session, since=MOMENT - DAY, now=later)
        session.expire_all()
        assert session.get_one(Mailing, mailing).state is MailingState.HELD


def test_a_run_in_which_nothing_is_new_is_left_alone(engine: sa.Engine) -> None:
    mailing = many(engine, BOUNCE_LEAST + 10)
    with db.writing(engine) as session:
        for member in range(1, BOUNCE_LEAST + 1):
            book.take_in(session, an_event(member, mailing, Cause.FULL), now=MOMENT)
        runs.watch(session, since=MOMENT + DAY, now=MOMENT + 2 * DAY)

        assert session.get_one(Mailing, mailing).state is MailingState.PLANNED


def test_one_sentence_says_why_somebody_gets_no_mail(session: Session, mailing: int) -> None:
    assert listing.explain(session, 1, today=TODAY).sentence == listing.NOTHING
    book.take_in(session, an_event(1, mailing), now=MOMENT)
    why = listing.explain(session, 1, today=TODAY)
    assert (why.sentence, why.at, why.cause) == (listing.SUPPRESSED["dead"], MOMENT, "unknown user")
    enrolment.erase(session, 1, MOMENT)
    assert listing.explain(session, 1, today=TODAY).sentence == listing.ERASED


@pytest.mark.parametrize("reason", get_args(suppression.Reason))
def test_every_reason_to_suppress_is_put_into_words(session: Session, mailing: int, reason: suppression.Reason) -> None:
    """Also where nothing came back here: a file said so, or another installation."""
    del mailing
    key = session.get_one(Member, 1).address_key
    suppression.suppress(session, key or b"", scope=Scope.ALL, reason=reason, now=MOMENT)

    why = listing.explain(session, 1, today=TODAY)
    assert why.sentence == (listing.SAID_TO_BE_DEAD if reason == "dead" else listing.SUPPRESSED[reason])
    assert why.cause == ""


def test_everything_that_people_choose_is_put_into_words(session: Session, mailing: int) -> None:
    del mailing
    member = session.get_one(Member, 1)
    subscription = session.exec(select(Subscription).where(Subscription.member_id == 1)).one()

    def why() -> str:
        session.flush()
        return listing.explain(session, 1, today=TODAY).sentence

    subscription.paused_until = TODAY + DAY
    assert why() == listing.PAUSED
    subscription.paused_until = TODAY  # it is over
    assert why() == listing.NOTHING
    subscription.ended_at = MOMENT
    assert why() == listing.UNSUBSCRIBED
    for state, sentence in ((State.PENDING, listing.PENDING), (State.LEFT, listing.HAS_LEFT)):
        member.state = state
        assert why() == sentence
    member.state, member.address, member.address_key = State.ACTIVE, None, None
    assert why() == listing.NO_ADDRESS


def test_the_dead_are_listed_for_the_secretary(session: Session, mailing: int) -> None:
    book.take_in(session, an_event(2, mailing), now=MOMENT)

    assert [(it.district, it.members) for it in listing.dead(session)] == [("", (2,))]


def test_held_events_are_those_that_wait(session: Session, mailing: int) -> None:
    book.take_in(session, an_event(1, mailing), now=MOMENT)
    session.exec(select(Feedback)).one().standing = Standing.HELD
    session.flush()

    assert [told.member for told in listing.events(session, mailing=None, member=None, held=True)] == [1]
    assert listing.explain(session, 1, today=TODAY).sentence != listing.NOTHING
