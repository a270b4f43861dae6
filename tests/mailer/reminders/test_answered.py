"""Who answered through a page, and was told by no letter, hears what changed."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from mailer import db
from mailer.events import book, shifts
from mailer.events.attendance import Answer
from mailer.members import answered
from mailer.outbox.models import Delivery, Mailing
from mailer.reminders.plan import any_may_go
from tests.mailer.reminders.conftest import Rally, at

CHANGED = "event:1:changed-1:events"
SOON, QUIET = at("04-12 12:00"), at("04-12 12:11")


def settle(rally: Rally, now: datetime) -> int:
    with db.writing(rally.engine) as session:
        events = answered.untold(session, now, settings=rally.settings, may_go=any_may_go)
        return sum(answered.settle(session, rally.settings, event, now=now) for event in events)


def alone(rally: Rally) -> list[int]:
    """Return who got a letter to them alone, in order."""
    query = select(Delivery.member_id).join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
    with db.reading(rally.engine) as session:
        return list(session.exec(query.where(Mailing.letter == "answered").order_by(col(Delivery.id))))


def take(rally: Rally, member: int, now: datetime) -> None:
    with db.writing(rally.engine) as session:
        [post] = shifts.posts(session, 1)
        shifts.take(session, book.find_event(session, "1"), post.id, member, now=now)


def test_who_answered_is_told_by_the_publication_of_events_or_else_by_a_letter_alone_and_once(rally: Rally):
    reads, maybe, weekly, no = rally.reader(), rally.reader(), rally.member(), rally.member()
    silent = rally.reader()
    rally.event()
    for member, said in ((reads, Answer.YES), (maybe, Answer.MAYBE), (weekly, Answer.YES), (no, Answer.NO)):
        rally.answer(member, said)
    rally.edit(SOON, place="Humlegården")

    assert settle(rally, SOON) == 0  # it may be changed again
    assert settle(rally, QUIET) == 0  # first those whom a publication tells
    rally.ring(QUIET)
    assert [settle(rally, QUIET), settle(rally, QUIET)] == [1, 0]

    assert rally.letters(CHANGED) == {reads: "changed", maybe: "changed"}
    assert alone(rally) == [weekly]
    assert silent not in rally.letters(CHANGED)
    rally.edit(at("04-13 12:00"), place="Mynttorget")
    rally.ring(at("04-13 12:11"))
    assert settle(rally, at("04-13 12:11")) == 1
    assert alone(rally) == [weekly, weekly]


def test_what_is_changed_back_before_anybody_was_told_is_told_to_nobody(rally: Rally):
    rally.event()
    rally.answer(rally.member(), Answer.YES)
    rally.edit(SOON, place="Humlegården")
    rally.edit(SOON, place="Norra Bantorget")

    rally.ring(QUIET)

    assert settle(rally, QUIET) == 0
    assert rally.mailings() == []


def test_of_an_answer_and_a_letter_the_later_one_counts(rally: Rally):
    anna, bo = rally.reader(), rally.reader()
    rally.event()
    rally.answer(anna, Answer.MAYBE)  # saw the first place, then reads of the second
    rally.edit(SOON, place="Humlegården")
    rally.ring(at("04-17 18:00"))
    rally.send_all()
    rally.answer(bo, Answer.MAYBE)
    assert set(rally.letters(CHANGED)) == {anna}
    rally.edit(at("04-18 12:00"), place="Mynttorget")
    rally.answer(bo, Answer.MAYBE)  # had the letter of the second, and saw the third on the page

    rally.ring(at("04-18 12:11"))

    assert set(rally.letters("event:1:changed-2:events")) == {anna}


def test_who_has_a_shift_is_told_also_without_an_answer_and_after_a_no(rally: Rally):
    reads, alone_one = rally.reader(), rally.member()
    rally.event(capacity=50, shifts=["12:00-13:00 @ Torget: 2"])
    for member in (reads, alone_one):
        take(rally, member, at("04-10 12:00"))
    rally.answer(alone_one, Answer.NO)
    rally.cancel(SOON)

    rally.ring(QUIET)

    assert rally.letters("event:1:cancelled-1:events") == {reads: "cancelled"}
    assert [settle(rally, QUIET), settle(rally, QUIET)] == [1, 0]
    assert alone(rally) == [alone_one]


def test_once_it_has_begun_those_are_told_who_still_have_a_shift_before_them(rally: Rally):
    rally.event(ends="2027-05-09 16:00", shifts=["2027-05-08 12:00-13:00 @ Torget: 2"])
    holder, comes = rally.reader(), rally.member()
    rally.answer(comes, Answer.YES)
    take(rally, holder, at("04-10 12:00"))
    rally.cancel(at("05-03 12:00"))

    rally.ring(at("05-03 12:11"))
    settle(rally, at("05-03 12:11"))

    assert alone(rally) == [holder]
    with db.reading(rally.engine) as session:
        [letter] = session.exec(select(Mailing).where(Mailing.letter == "answered"))
    assert letter.give_up_at is not None
    assert letter.give_up_at <= at("05-09 16:00")


def test_what_was_answered_is_told_where_no_publication_is_for_events(rally: Rally):
    rally.without_publication()
    reads = rally.reader()
    rally.event()
    rally.answer(reads, Answer.YES)
    rally.edit(SOON, starts="2027-05-01 12:00")

    assert settle(rally, QUIET) == 1
    assert alone(rally) == [reads]


def test_a_letter_alone_names_nobody_in_its_key(rally: Rally):
    rally.event()
    rally.answer(rally.member(), Answer.YES)
    rally.cancel(SOON)
    rally.ring(QUIET)
    settle(rally, QUIET)

    with db.reading(rally.engine) as session:
        [key] = session.scalars(sa.select(col(Mailing.key)).where(col(Mailing.letter) == "answered"))
    assert len(key) == len("answered:") + 24


def test_without_a_publication_for_events_who_read_of_it_in_a_digest_is_told_by_that_and_not_by_two(rally: Rally):
    rally.without_publication()
    reads, by_itself = rally.member(), rally.reader()
    rally.event()
    rally.digest_sent(at("04-11 08:00"))
    for member in (reads, by_itself):
        rally.answer(member, Answer.YES)
    rally.edit(SOON, place="Humlegården")

    assert settle(rally, QUIET) == 0  # first those whom a publication tells
    rally.ring(QUIET)
    assert [settle(rally, QUIET), settle(rally, QUIET)] == [1, 0]

    assert rally.letters("event:1:changed-1:weekly") == {reads: "changed"}
    assert alone(rally) == [by_itself]
