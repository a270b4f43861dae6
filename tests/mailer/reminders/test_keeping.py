from datetime import datetime, timedelta

import pytest

from mailer import db
from mailer.events.attendance import Answer
from mailer.notices.gather import gather
from mailer.outbox.models import DeliveryState, Mailing, MailingState
from mailer.reminders.keeping import BEGUN, CALLED_OFF, CHANGED
from mailer.sentences import Sentence
from subscribers.models import Subscription
from tests.mailer.reminders.conftest import Rally, at

STEPS = ("invitation-14d-before", "reminder-3d-before", "reminder-on-the-day", "thanks-1d-after")
INVITATION, REMINDER, MORNING, THANKS = (f"event:1:{step}" for step in STEPS)
MINUTE = timedelta(minutes=1)


def test_a_ladder_is_climbed_step_by_step_and_each_member_gets_each_once(rally: Rally):
    anna = rally.reader()
    rally.event()

    keys = rally.ring_through(at("04-10 00:00"), at("05-05 00:00"))

    assert keys == [INVITATION, REMINDER, MORNING]
    assert [rally.letters(key) for key in keys] == [{anna: "invitation"}, {anna: "reminder"}, {anna: "reminder"}]


def test_an_event_is_told_to_those_near_it_as_news_is(rally: Rally):
    bromma, farsta, nowhere = rally.reader("bromma"), rally.reader("farsta"), rally.reader()
    rally.event(districts=["bromma"])
    rally.event(title="Tal", districts=["stockholm"])
    rally.event(title="Sång")

    rally.ring(at("04-17 18:00"))

    assert set(rally.letters("event:1:invitation-14d-before")) == {bromma}
    assert set(rally.letters("event:2:invitation-14d-before")) == {bromma, farsta, nowhere}
    assert set(rally.letters("event:3:invitation-14d-before")) == {bromma, farsta, nowhere}


def test_who_does_not_subscribe_to_the_publication_of_events_gets_none(rally: Rally):
    rally.member()
    rally.event()

    assert [planned.candidates for planned in rally.ring(at("04-17 18:00"))] == [0]


def test_who_said_no_gets_no_more_and_who_said_yes_gets_the_details_and_thanks(rally: Rally):
    yes, maybe, no = rally.reader(), rally.reader(), rally.reader()
    rally.event()
    for member, said in ((yes, Answer.YES), (maybe, Answer.MAYBE), (no, Answer.NO)):
        rally.answer(member, said)

    keys = rally.ring_through(at("04-10 00:00"), at("05-05 00:00"))

    assert keys == [INVITATION, REMINDER, MORNING, THANKS]
    assert rally.letters(INVITATION) == {maybe: "invitation"}
    assert rally.letters(REMINDER) == rally.letters(MORNING) == {yes: "details", maybe: "reminder"}
    assert rally.letters(THANKS) == {yes: "thanks"}


def test_who_says_no_before_theirs_is_sent_does_not_get_it(rally: Rally):
    anna, bo = rally.reader(), rally.reader()
    rally.event()
    rally.ring(at("04-28 18:00"))
    rally.answer(anna, Answer.NO)

    rally.ring(at("04-28 18:01"))

    assert rally.letters(REMINDER, DeliveryState.CANCELLED) == {anna: "reminder"}
    assert rally.letters(REMINDER, DeliveryState.QUEUED) == {bo: "reminder"}


def test_of_a_household_those_are_written_to_who_did_not_say_no(rally: Rally):
    anna, bo = rally.reader(address="a@example.org"), rally.reader(address="a@example.org")
    rally.event()
    rally.answer(anna, Answer.NO)
    rally.answer(bo, Answer.YES)

    rally.ring(at("04-28 18:00"))

    assert rally.letters(REMINDER) == {bo: "details"}


def test_who_subscribes_after_a_step_was_due_is_not_told_late(rally: Rally):
    early = rally.reader()
    rally.event()
    rally.reader(since=at("04-17 18:01"))

    rally.ring(at("04-17 18:05"))  # the clock was down for some minutes

    assert rally.letters(INVITATION) == {early: "invitation"}


def test_of_steps_that_were_missed_only_the_last_goes_and_none_that_came_before_the_event(rally: Rally):
    rally.reader()
    rally.event()

    rally.ring(at("04-29 12:00"))
    rally.ring(at("04-29 12:01"))

    assert rally.mailings() == [REMINDER]


def test_one_that_is_written_late_is_not_told_of_as_if_it_had_been_there(rally: Rally):
    rally.reader()
    rally.event(starts="2027-01-10 13:00", ends="2027-01-10 15:00")  # written on the second

    assert rally.ring(at("01-02 12:01")) == []


def test_a_member_gets_so_many_letters_a_week_and_who_comes_gets_the_details_all_the_same(rally: Rally):
    anna, coming = rally.reader(), rally.reader()
    days = (1, 2, 3, 4)
    for day in days:
        number = rally.event(starts=f"2027-05-0{day} 13:00", ends=f"2027-05-0{day} 15:00", title=f"Möte {day}")
        rally.answer(coming, Answer.YES, event=number)

    rally.ring_through(at("04-16 00:00"), at("05-01 19:00"))

    told = {key: set(rally.letters(key)) for key in rally.mailings()}
    assert [told[f"event:{day}:invitation-14d-before"] for day in days] == [{anna}, {anna}, {anna}, set()]
    assert [told[f"event:{day}:reminder-3d-before"] for day in days] == [{anna, coming}] * 3 + [{coming}]
    assert rally.left_out("event:4:reminder-3d-before") == {"enough letters": 1}


def test_on_the_day_of_a_digest_a_step_goes_after_it(rally: Rally):
    rally.reader()
    rally.event()
    digest = at("04-17 18:00")

    assert rally.ring(digest, digest) == []
    assert [planned.key for planned in rally.ring(digest + timedelta(hours=1), digest)] == [INVITATION]


# What changed


@pytest.fixture
def halfway(rally: Rally) -> Rally:
    """The reminder has been sent to Anna (1), nobody knows of Bo's (2), and Cia (3) waits. Dan (4) reads no events."""
    for _ in range(3):
        rally.reader()
    rally.member()
    rally.event()
    rally.ring(at("04-28 18:00"))
    rally.send_all((1,), REMINDER)
    rally.settle(DeliveryState.UNCERTAIN, (2,))
    return rally


def test_a_changed_place_stops_what_waits_at_once_and_mends_it_when_all_is_quiet(halfway: Rally):
    halfway.edit(at("04-28 18:02"), place="Humlegården")

    assert halfway.ring(at("04-28 18:03")) == []
    assert (halfway.mailing(REMINDER).state, halfway.mailing(REMINDER).reason) == (MailingState.PAUSED, CHANGED)

    planned = halfway.ring(at("04-28 18:12"))

    assert halfway.mailing(REMINDER).state is MailingState.PLANNED
    assert halfway.told_place(REMINDER) == {1: "Norra Bantorget", 2: "Norra Bantorget", 3: "Humlegården"}
    assert [(one.key, one.candidates) for one in planned] == [("event:1:changed-1:events", 2)]
    assert halfway.letters("event:1:changed-1:events") == {1: "changed", 2: "changed"}


def test_several_edits_in_a_short_time_are_one_correction_and_who_had_it_is_not_told_again(halfway: Rally):
    halfway.edit(at("04-28 18:02"), place="Humlegården")
    halfway.ring(at("04-28 18:05"))
    halfway.edit(at("04-28 18:10"), place="Mynttorget")
    halfway.ring(at("04-28 18:13"))
    halfway.edit(at("04-28 18:15"), text="Ta med paraply.")  # no other time or place: it does not count

    keys = halfway.ring_through(at("04-28 18:20"), at("04-30 12:00"))

    assert keys == ["event:1:changed-2:events"]
    assert halfway.told_place(keys[0]) == {1: "Mynttorget", 2: "Mynttorget"}


def test_what_is_changed_back_in_time_is_told_to_nobody(halfway: Rally):
    halfway.edit(at("04-28 18:02"), place="Humlegården")
    halfway.ring(at("04-28 18:03"))
    halfway.edit(at("04-28 18:06"), place="Norra Bantorget")

    assert [one for one in halfway.ring(at("04-28 18:20")) if one.candidates] == []
    assert halfway.mailing(REMINDER).state is MailingState.PLANNED


def test_a_second_change_is_told_to_all_who_were_told_the_first(halfway: Rally):
    halfway.edit(at("04-28 18:02"), place="Humlegården")
    halfway.ring(at("04-28 18:12"))
    halfway.send_all((1, 3))  # Bo's correction waits
    halfway.edit(at("04-28 19:00"), starts="2027-05-01 12:00")
    halfway.ring(at("04-28 19:10"))
    halfway.sweep(at("04-28 19:11"))

    assert set(halfway.letters("event:1:changed-2:events")) == {1, 2, 3}
    assert halfway.letters("event:1:changed-1:events", DeliveryState.CANCELLED) == {2: "changed"}


def test_what_a_person_stopped_gets_the_new_words_and_stays_stopped(halfway: Rally):
    with db.writing(halfway.engine) as session:
        mailing = session.get_one(Mailing, 1)
        mailing.state, mailing.reason = MailingState.PAUSED, "A person paused it."
    halfway.edit(at("04-28 18:02"), place="Humlegården")

    halfway.ring(at("04-28 18:12"))

    assert halfway.told_place(REMINDER)[3] == "Humlegården"
    assert halfway.mailing(REMINDER).state is MailingState.PAUSED


def test_while_a_worker_holds_letters_nothing_is_moved(halfway: Rally):
    with db.writing(halfway.engine) as session:
        lease = "UPDATE batch SET state = 'leased', owner = 'w', leased_until = '2027-04-28 18:00:00+00:00'"
        session.connection().exec_driver_sql(lease)
    halfway.edit(at("04-28 18:02"), place="Humlegården")

    assert halfway.ring(at("04-28 18:12")) == []
    assert halfway.told_place(REMINDER)[3] == "Norra Bantorget"


def test_what_is_called_off_stops_the_ladder_and_is_told_to_who_was_told(halfway: Rally):
    halfway.cancel(at("04-28 18:02"))

    keys = halfway.ring_through(at("04-28 18:03"), at("05-05 12:00"))
    halfway.sweep(at("05-05 12:00"))

    assert keys == ["event:1:cancelled-1:events"]
    assert halfway.letters(keys[0]) == {1: "cancelled", 2: "cancelled"}
    assert halfway.letters(REMINDER, DeliveryState.CANCELLED) == {3: "reminder"}
    assert halfway.mailing(REMINDER).reason == CALLED_OFF


def test_what_takes_place_after_all_is_told_to_who_was_told_that_it_does_not(halfway: Rally):
    halfway.cancel(at("04-28 18:02"))
    halfway.ring_through(at("04-28 18:03"), at("04-28 19:00"))
    halfway.cancel(at("04-28 20:00"), off=True)

    keys = halfway.ring_through(at("04-28 20:01"), at("04-30 12:00"))

    assert keys == ["event:1:changed-2:events"]
    assert set(halfway.letters(keys[0])) == {1, 2}


def test_who_said_no_is_not_told_what_changed(halfway: Rally):
    halfway.answer(1, Answer.NO)
    halfway.edit(at("04-28 18:02"), place="Humlegården")

    halfway.ring(at("04-28 18:12"))

    assert set(halfway.letters("event:1:changed-1:events")) == {2}


def test_nothing_is_sent_once_the_event_has_begun(halfway: Rally):
    mailing = halfway.mailing(REMINDER)
    assert mailing.late_at == mailing.send_by == mailing.give_up_at == at("05-01 13:00")

    assert [one.candidates for one in halfway.ring(at("05-01 12:59"))] == [3]  # the morning's, late
    halfway.ring(at("05-01 13:00"))
    halfway.sweep(at("05-01 13:01"))

    assert halfway.mailing(REMINDER).reason == halfway.mailing(MORNING).reason == BEGUN
    assert set(halfway.letters(MORNING, DeliveryState.CANCELLED)) == {1, 2, 3}
    halfway.edit(at("05-01 13:05"), place="Humlegården")
    assert halfway.ring(at("05-01 13:30")) == []


def test_an_event_that_is_put_off_is_not_too_late_for_what_waits(halfway: Rally):
    halfway.edit(at("04-28 18:02"), starts="2027-05-08 13:00", ends="2027-05-08 15:00")
    halfway.ring(at("04-28 18:12"))

    assert halfway.mailing(REMINDER).send_by == at("05-08 13:00")


def told_people(rally: Rally, now: datetime) -> list[str]:
    with db.reading(rally.engine) as session:
        return [str(Sentence(cause.subject, cause.values)) for cause in gather(session, rally.settings, now)]


def test_the_people_in_charge_are_told_what_the_event_overtook_and_not_what_goes_on_by_itself(halfway: Rally):
    halfway.edit(at("04-28 18:02"), place="Humlegården")
    halfway.ring(at("04-28 18:03"))

    assert told_people(halfway, at("04-28 18:03")) == []

    halfway.ring(at("05-01 13:00"))

    assert told_people(halfway, at("05-01 13:01")) == [f"Not sent whole: {REMINDER}"]


# Beside a digest


def test_who_read_of_it_in_a_digest_that_day_has_had_the_step(rally: Rally):
    only_events, both = rally.reader(), rally.reader()
    with db.writing(rally.engine) as session:
        session.add(Subscription(member_id=both, publication="weekly", since=at("01-01 00:00")))
    rally.event()
    rally.digest_sent(at("04-28 08:00"))

    rally.ring(at("04-28 18:00"))

    assert rally.letters(REMINDER) == {only_events: "reminder"}
    assert rally.left_out(REMINDER) == {"told already": 1}


def test_who_was_told_by_a_digest_is_told_by_it_what_changed_and_nobody_by_two(rally: Rally):
    only_events, only_weekly, both = rally.reader(), rally.member(), rally.reader()
    with db.writing(rally.engine) as session:
        session.add(Subscription(member_id=both, publication="weekly", since=at("01-01 00:00")))
    rally.event()
    rally.digest_sent(at("04-22 08:00"))
    rally.edit(at("04-23 12:00"), place="Humlegården")

    keys = rally.ring_through(at("04-23 12:00"), at("04-23 14:00"))

    assert keys == ["event:1:changed-1:events", "event:1:changed-1:weekly", INVITATION]  # that one is late
    assert [set(rally.letters(key)) for key in keys] == [{both}, {only_weekly}, {only_events}]


def test_without_a_publication_for_events_the_digest_that_told_of_one_tells_what_changed_and_no_ladder_goes(
    rally: Rally,
):
    rally.without_publication()
    told, untold, yes = rally.member(), rally.reader(), rally.member()
    rally.event()
    rally.digest_sent(at("04-22 08:00"))
    rally.answer(yes, Answer.YES)
    rally.edit(at("04-23 12:00"), place="Humlegården")

    keys = rally.ring_through(at("04-10 00:00"), at("05-05 00:00"))

    assert keys == ["event:1:changed-1:weekly"]
    assert rally.letters(keys[0]) == {told: "changed", yes: "changed"}
    assert untold not in rally.letters(keys[0])
    assert rally.mailings()[1:] == keys


def test_nothing_is_sent_of_what_was_changed_when_nobody_was_told(rally: Rally):
    rally.without_publication()
    rally.member()
    rally.event()
    rally.edit(at("04-23 12:00"), place="Humlegården")

    assert rally.ring_through(at("04-10 00:00"), at("05-05 00:00")) == []
    assert rally.mailings() == []
