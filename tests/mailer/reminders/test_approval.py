"""Letters about an event to many, or beyond the districts of who said it, wait for another operator."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from mailer import db
from mailer.campaigns.letter import Post
from mailer.config import Settings
from mailer.config.operators import Approval, Operator
from mailer.errors import Mistake
from mailer.events import book as events
from mailer.events.attendance import Answer
from mailer.members import answered
from mailer.operators import book
from mailer.operators.about_events import Clearance, key_of
from mailer.operators.models import ApprovalRequest, Outcome
from mailer.outbox import control
from mailer.outbox.batches import Terms
from mailer.outbox.models import DeliveryState, MailingState
from mailer.reminders import gather
from mailer.reminders.approving import Reach, reaches
from mailer.reminders.keeping import CALLED_OFF, CHANGED, UNAPPROVED, keep, send_now
from mailer.reminders.plan import Planned
from tests.mailer.digest.conftest import LINKS
from tests.mailer.reminders.conftest import Rally, at

INVITATION, REMINDER, MORNING = (
    f"event:1:{step}" for step in ("invitation-14d-before", "reminder-3d-before", "reminder-on-the-day")
)
NEWS = "event:1:changed-1:events"
MINUTE, WINDOW = timedelta(minutes=1), timedelta(minutes=5)
PEOPLE = {
    "anna": Operator(name="Anna Ek", address="anna@kansli.example.org", may_approve=True),
    "bo": Operator(name="Bo Al", address="bo@kansli.example.org", may_approve=True),
    "west": Operator(name="Vera Väst", address="vera@kansli.example.org", districts=("bromma",), may_approve=True),
}


class Guarded(Rally):
    """A city whose operators write events; letters to more than two members take two of them."""

    by = "anna"

    @property
    def post(self) -> Post:
        return Post(self.engine, self.settings, LINKS)

    def ring(self, now: datetime, digest: datetime | None = None) -> list[Planned]:
        clearance = Clearance(self.post, now)
        planned = keep(clearance.planner, lambda _: [digest] if digest else [], Terms(self.lease))
        self.ask(clearance, now)
        return planned

    def tell_alone(self, now: datetime) -> int:
        """Write to those who answered and read of no event, as the clock does."""
        clearance = Clearance(self.post, now)
        with db.reading(self.engine) as session:
            found = answered.untold(session, now, settings=self.settings, may_go=clearance.may_go)
            numbers = [event.id for event in found]
        self.ask(clearance, now)
        with db.writing(self.engine) as session:
            rows = [events.find_event(session, str(number)) for number in numbers]
            return sum(answered.settle(session, self.settings, event, now=now) for event in rows)

    def ask(self, clearance: Clearance, now: datetime) -> None:
        for event in sorted(clearance.unasked):
            book.ask_unasked(self.post, key_of(event), now=now)

    def requests(self) -> list[ApprovalRequest]:
        with db.reading(self.engine) as session:
            found = list(session.exec(select(ApprovalRequest).order_by(col(ApprovalRequest.id))))
            session.expunge_all()
            return found

    def sign(self, operator: str, now: datetime) -> Outcome:
        """Sign the last request by its link."""
        return book.sign(self.post, self.requests()[-1].id or 0, operator, now=now).outcome

    def reach(self, now: datetime) -> Reach:
        with db.reading(self.engine) as session:
            [dossier] = gather.dossiers(session, now, only=1)
            return reaches(session, Clearance(self.post, now).planner, [dossier])[1]

    def operators(self, *slugs: str, **values: object) -> None:
        people = {slug: PEOPLE[slug] for slug in slugs}
        approval = Approval(second_above=2).model_copy(update=values)
        self.settings = self.settings.model_copy(update={"operators": people, "approval": approval})


@pytest.fixture
def guarded(engine: sa.Engine, settings: Settings) -> Guarded:
    rally = Guarded(engine, settings)
    rally.operators("anna", "bo", "west")
    return rally


@pytest.fixture
def crowded(guarded: Guarded) -> Guarded:
    for _ in range(3):
        guarded.reader()
    guarded.event()
    return guarded


@pytest.fixture
def reminded(crowded: Guarded) -> Guarded:
    """What the event says is approved, the reminder has gone to the first (1), and waits for the others."""
    crowded.ring(at("04-28 18:00"))
    crowded.sign("bo", at("04-28 18:10"))
    crowded.ring(at("04-28 18:15"))
    crowded.send_all((1,), REMINDER)
    return crowded


def test_to_few_within_ones_districts_they_go_as_ever_and_nobody_is_asked(guarded: Guarded):
    guarded.by = "west"
    near = guarded.reader("bromma")
    for _ in range(4):
        guarded.reader("farsta")
    guarded.event(districts=["bromma"])

    guarded.ring(at("04-17 18:00"))
    guarded.send_all()
    guarded.edit(at("04-18 12:00"), place="Humlegården")
    guarded.ring(at("04-18 12:10"))

    assert guarded.letters(INVITATION) == {near: "invitation"}
    assert guarded.letters(NEWS) == {near: "changed"}
    assert guarded.requests() == []


def test_without_operators_they_go_to_however_many(crowded: Guarded):
    crowded.operators()

    crowded.ring(at("04-17 18:00"))

    assert len(crowded.letters(INVITATION)) == 3


def test_to_many_they_wait_for_another_operator_and_for_the_window_and_go_once(crowded: Guarded):
    for minute in range(3):
        assert crowded.ring(at("04-17 18:00") + minute * MINUTE) == []
    assert crowded.mailings() == []
    [request] = crowded.requests()
    assert (request.key, request.asked_by, request.people, request.by_clock) == ("event:1", "anna", 3, True)

    assert crowded.sign("anna", at("04-17 19:00")) is Outcome.OPEN  # whose part was in it from the beginning
    assert crowded.sign("bo", at("04-17 19:00")) is Outcome.GRANTED
    assert crowded.ring(at("04-17 19:04")) == []

    for minute in range(3):
        crowded.ring(at("04-17 19:05") + minute * MINUTE)

    assert crowded.mailings() == [INVITATION]
    assert len(crowded.letters(INVITATION)) == 3


def test_what_was_approved_goes_step_by_step_without_being_asked_for_again(crowded: Guarded):
    crowded.ring(at("04-17 18:00"))
    crowded.sign("bo", at("04-17 18:10"))

    keys = crowded.ring_through(at("04-17 18:30"), at("05-01 12:00"))

    assert keys == [INVITATION, REMINDER, MORNING]
    assert len(crowded.requests()) == 1


def test_of_what_was_due_while_they_waited_only_the_last_goes_and_nothing_once_it_has_begun(crowded: Guarded):
    for moment in ("04-17 18:00", "04-24 18:01", "04-28 18:00"):
        crowded.ring(at(moment))
    assert [one.outcome for one in crowded.requests()] == [Outcome.CHANGED, Outcome.OPEN]  # a link is good for a week
    crowded.sign("bo", at("04-28 19:00"))
    crowded.ring(at("04-28 19:05"))
    assert crowded.mailings() == [REMINDER]

    crowded.edit(at("05-01 07:00"), text="Ta med paraply.")
    crowded.ring(at("05-01 08:00"))
    crowded.sign("bo", at("05-01 12:56"))
    crowded.ring(at("05-01 13:01"))

    assert crowded.mailings() == [REMINDER]


@pytest.mark.parametrize(
    ("said", "outcomes"),
    [
        ({"text": "Ta med paraply."}, [Outcome.GRANTED, Outcome.OPEN]),
        ({"districts": ["stockholm"]}, [Outcome.GRANTED, Outcome.OPEN]),
        ({"capacity": 900, "shifts": ["12:00-14:00 @ Torget: 4"]}, [Outcome.GRANTED]),  # no letter says so
    ],
)
def test_another_edit_asks_again_if_a_letter_says_it(
    crowded: Guarded, said: dict[str, object], outcomes: list[Outcome]
):
    crowded.ring(at("04-17 18:00"))
    crowded.sign("bo", at("04-17 18:10"))
    crowded.ring(at("04-17 18:15"))
    crowded.send_all()
    crowded.edit(at("04-20 12:00"), **said)

    crowded.ring(at("04-28 18:00"))

    assert [one.outcome for one in crowded.requests()] == outcomes
    assert (REMINDER in crowded.mailings()) is (len(outcomes) == 1)


def test_a_link_is_worth_nothing_for_what_was_said_since(crowded: Guarded):
    crowded.ring(at("04-17 18:00"))
    crowded.edit(at("04-17 18:05"), text="Något annat.")

    assert crowded.sign("bo", at("04-17 18:10")) is Outcome.CHANGED

    crowded.ring(at("04-17 18:20"))
    assert crowded.mailings() == []
    assert crowded.sign("bo", at("04-17 18:25")) is Outcome.GRANTED


def test_what_is_changed_back_before_anybody_was_told_is_approved_still(reminded: Guarded):
    reminded.edit(at("04-28 18:20"), place="Humlegården")
    reminded.ring(at("04-28 18:30"))
    reminded.edit(at("04-28 18:40"), place="Norra Bantorget")

    for moment in ("04-28 18:50", "05-01 08:00"):
        reminded.ring(at(moment))

    assert len(reminded.letters(REMINDER, DeliveryState.QUEUED)) == 2
    assert reminded.mailing(REMINDER).state is MailingState.PLANNED
    assert len(reminded.letters(MORNING)) == 3


def test_a_place_that_comes_back_after_another_was_told_asks_again(reminded: Guarded):
    reminded.send_all((2, 3), REMINDER)
    reminded.edit(at("04-28 18:20"), place="Humlegården")
    reminded.ring(at("04-28 18:30"))
    reminded.sign("bo", at("04-28 18:35"))
    reminded.ring(at("04-28 18:40"))
    reminded.send_all()
    reminded.edit(at("04-28 18:50"), place="Norra Bantorget")

    for moment in ("04-28 19:00", "05-01 08:00"):
        reminded.ring(at(moment))

    assert reminded.mailings() == [REMINDER, NEWS]
    assert [one.outcome for one in reminded.requests()] == [Outcome.GRANTED, Outcome.GRANTED, Outcome.OPEN]


def test_a_change_stands_at_once_and_what_waits_and_who_was_told_hear_of_it_when_it_is_approved(reminded: Guarded):
    reminded.edit(at("04-28 18:20"), place="Humlegården")
    reminded.ring(at("04-28 18:21"))
    assert (reminded.mailing(REMINDER).state, reminded.mailing(REMINDER).reason) == (MailingState.PAUSED, CHANGED)

    assert reminded.ring(at("04-28 18:30")) == []
    reminder = reminded.mailing(REMINDER)
    assert (reminder.state, reminder.reason) == (MailingState.PAUSED, UNAPPROVED)
    assert reminded.rows("SELECT place FROM event") == [("Humlegården",)]
    assert NEWS not in reminded.mailings()

    reminded.sign("bo", at("04-28 19:00"))
    planned = [one for minute in range(3) for one in reminded.ring(at("04-28 19:05") + minute * MINUTE)]

    assert [(one.key, one.candidates) for one in planned] == [(NEWS, 1)]
    assert reminded.mailing(REMINDER).state is MailingState.PLANNED
    assert reminded.told_place(REMINDER) == {1: "Norra Bantorget", 2: "Humlegården", 3: "Humlegården"}


def test_what_a_person_paused_does_not_go_on_when_the_change_is_approved(reminded: Guarded):
    with db.writing(reminded.engine) as session:
        control.pause(session.connection(), REMINDER)
    reminded.edit(at("04-28 18:20"), place="Humlegården")
    reminded.ring(at("04-28 18:31"))
    reminded.sign("bo", at("04-28 19:00"))

    reminded.ring(at("04-28 19:05"))

    assert (reminded.mailing(REMINDER).state, reminded.mailing(REMINDER).reason) == (
        MailingState.PAUSED,
        control.PAUSED,
    )


def test_calling_it_off_stops_the_ladder_unsigned_and_the_letter_that_says_so_waits(reminded: Guarded):
    reminded.send_all((2, 3), REMINDER)
    reminded.cancel(at("04-28 18:20"))
    reminded.ring(at("04-28 18:31"))
    reminded.ring(at("05-01 08:00"))
    assert reminded.mailings() == [REMINDER]

    reminded.sign("bo", at("05-01 09:00"))
    reminded.ring(at("05-01 09:05"))

    assert reminded.mailings() == [REMINDER, "event:1:cancelled-1:events"]
    assert len(reminded.letters("event:1:cancelled-1:events")) == 3


def test_what_waits_is_ended_when_it_is_called_off_and_a_useless_letter_is_never_sent(reminded: Guarded):
    reminded.cancel(at("04-28 18:20"))
    reminded.ring(at("04-28 18:21"))
    assert reminded.mailing(REMINDER).state is MailingState.PAUSED
    reminded.ring(at("04-28 18:31"))
    assert (reminded.mailing(REMINDER).state, reminded.mailing(REMINDER).reason) == (
        MailingState.CANCELLED,
        CALLED_OFF,
    )
    assert len(reminded.requests()) == 1  # one was told: that is few
    assert reminded.letters("event:1:cancelled-1:events") == {1: "cancelled"}


def test_a_cancellation_that_is_approved_too_late_is_not_told(reminded: Guarded):
    reminded.send_all((2, 3), REMINDER)
    reminded.cancel(at("05-01 12:30"))
    reminded.ring(at("05-01 12:45"))
    reminded.sign("bo", at("05-01 12:57"))

    for moment in ("05-01 12:58", "05-01 13:02", "05-02 18:00"):
        reminded.ring(at(moment))

    assert reminded.mailings() == [REMINDER]


@pytest.mark.parametrize("how", ["taken back", "declined"])
def test_what_is_taken_back_or_declined_waits_and_nobody_is_asked_again_by_the_clock(crowded: Guarded, how: str):
    crowded.ring(at("04-17 18:00"))
    if how == "taken back":
        crowded.sign("bo", at("04-17 18:10"))
        assert book.take_back(crowded.post, 1, "anna", now=at("04-17 18:14")).outcome is Outcome.TAKEN_BACK
    else:
        book.decline(crowded.post, 1, "bo", now=at("04-17 18:10"))

    for moment in ("04-17 18:30", "04-28 18:00"):
        assert crowded.ring(at(moment)) == []

    assert [one.outcome.value for one in crowded.requests()] == [how]
    book.ask(crowded.post, "event:1", "bo", way=book.ACCOUNT, now=at("04-28 18:10"))  # asking is signing
    crowded.ring(at("04-28 18:15"))
    assert crowded.mailings() == [REMINDER]


@pytest.mark.parametrize("by", [None, "gone"])
def test_what_no_operator_said_takes_one_above_the_limit_and_none_below(crowded: Guarded, by: str | None):
    crowded.by = by
    crowded.event(title="Ingens")
    crowded.edit(at("01-03 12:00"), text="Ingens, det med.")
    with db.writing(crowded.engine) as session:
        events.edit(session, events.find_event(session, "2"), {"districts": ["farsta"]}, now=at("01-03 12:00"))
    farsta = crowded.reader("farsta")

    crowded.ring(at("04-17 18:00"))
    assert crowded.letters("event:2:invitation-14d-before") == {farsta: "invitation"}
    [request] = crowded.requests()
    assert (request.key, request.asked_by, request.people) == ("event:1", "", 4)
    assert crowded.sign("west", at("04-17 18:01")) is Outcome.OPEN  # who has not the districts

    assert crowded.sign("bo", at("04-17 18:10")) is Outcome.GRANTED

    crowded.ring(at("04-17 18:15"))
    assert len(crowded.letters(INVITATION)) == 4


def test_where_nobody_may_approve_they_wait_and_are_not_counted_each_minute(crowded: Guarded):
    crowded.operators("anna")

    for minute in range(3):
        crowded.ring(at("04-17 18:00") + minute * MINUTE)

    assert (len(crowded.requests()), crowded.mailings()) == (1, [])
    with pytest.raises(Mistake, match="Nobody else in"):
        book.ask(crowded.post, "event:1", "anna", way=book.ACCOUNT, now=at("04-17 18:10"))


def test_to_those_who_were_told_beyond_ones_districts_it_takes_another_however_few(guarded: Guarded):
    near, far = guarded.reader("bromma"), guarded.reader("farsta")
    guarded.event()
    guarded.ring(at("04-17 18:00"))
    guarded.send_all()
    guarded.edit(at("04-18 12:00"), districts=["bromma"])
    guarded.by = "west"
    guarded.edit(at("04-19 12:00"), place="Humlegården")

    guarded.ring(at("04-19 12:10"))

    assert guarded.reach(at("04-19 12:10")) == Reach(near=1, told=1, districts=None)
    assert guarded.mailings() == [INVITATION]
    [request] = guarded.requests()
    assert (request.asked_by, request.people, request.districts) == ("west", 2, "*")
    guarded.sign("bo", at("04-19 12:20"))
    guarded.ring(at("04-19 12:25"))
    assert guarded.letters("event:1:changed-2:events") == {near: "changed", far: "changed"}


def test_who_answered_and_reads_of_no_event_hears_of_a_change_when_it_is_approved(guarded: Guarded):
    people = [guarded.member() for _ in range(3)]
    guarded.event()
    for member in people:
        guarded.answer(member, Answer.YES)
    guarded.edit(at("04-12 12:00"), place="Humlegården")
    guarded.ring(at("04-12 12:10"))  # a letter to the readers of events would go to nobody

    def told() -> int:
        return len(guarded.rows("SELECT id FROM mailing WHERE letter = 'answered'"))

    guarded.tell_alone(at("04-12 12:11"))
    assert (told(), [one.people for one in guarded.requests()]) == (0, [3])
    guarded.sign("bo", at("04-12 12:20"))
    guarded.ring(at("04-12 12:25"))
    for minute in range(3):
        guarded.tell_alone(at("04-12 12:25") + minute * MINUTE)

    assert told() == 3


def test_a_step_that_a_person_wants_now_waits_too(crowded: Guarded):
    now = at("04-20 12:00")
    with pytest.raises(Mistake, match="wait for another operator"):
        send_now(Clearance(crowded.post, now).planner, 1, "reminder-3d-before")

    book.ask(crowded.post, "event:1", "bo", way=book.ACCOUNT, now=now)
    later = now + WINDOW

    assert send_now(Clearance(crowded.post, later).planner, 1, "reminder-3d-before").candidates == 3


def no(rally: Guarded) -> None:
    rally.answer(1, Answer.NO)


def yes(rally: Guarded) -> None:
    rally.answer(1, Answer.YES)


@pytest.mark.parametrize(
    ("before", "moment", "near"),
    [
        (None, "04-10 12:00", 4),
        (no, "04-10 12:00", 3),
        (yes, "04-30 12:00", 4),
        (yes, "05-01 14:00", 1),  # thanks alone are to come
        (no, "05-01 14:00", 0),
        (None, "05-06 12:00", 0),
    ],
)
def test_counted_are_those_to_whom_something_is_to_come(
    guarded: Guarded, before: Callable[[Guarded], None] | None, moment: str, near: int
):
    guarded.reader("bromma")
    guarded.reader(address="a@example.org")
    guarded.reader("farsta", address="a@example.org")
    guarded.reader("kista")
    guarded.member("bromma")
    guarded.event(districts=["stockholm"])
    if before:
        before(guarded)

    assert guarded.reach(at(moment)) == Reach(near, 0, frozenset({"stockholm"}))


def test_several_events_are_counted_as_each_alone(guarded: Guarded):
    for districts in ("bromma", "bromma farsta", "", "kista"):
        guarded.reader(districts)
    for districts in (["bromma"], [], ["stockholm"], ["kista", "farsta"]):
        guarded.event(title=f"Möte {districts}", districts=districts)
    guarded.answer(1, Answer.NO, event=2)

    with db.reading(guarded.engine) as session:
        dossiers = gather.dossiers(session, at("04-10 12:00"))
        planner = Clearance(guarded.post, at("04-10 12:00")).planner
        together = reaches(session, planner, dossiers)
        alone = {one.id: reaches(session, planner, [one])[one.id] for one in dossiers}

    assert together == alone
    assert [together[number].near for number in (1, 2, 3, 4)] == [2, 3, 4, 2]


def test_the_letters_that_were_counted_are_those_that_go(crowded: Guarded):
    crowded.answer(2, Answer.NO)
    crowded.operators("anna", second_above=9)

    crowded.ring(at("04-17 18:00"))

    assert crowded.reach(at("04-17 17:59")).members == len(crowded.letters(INVITATION, DeliveryState.QUEUED)) == 2
