"""Reads a mailbox from where it was left: sorts each mail, does what it asks for, puts aside what is ours.

Killed at any point, it begins again at the last bookmark: what was done is known by its key, what was not put aside yet
is. Two at once do the same things, each once. A person's mail stays where it is, unread.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.feedback import intake
from mailer.feedback.book import insert_of
from mailer.feedback.imap import Mailbox
from mailer.feedback.models import Bookmark
from mailer.feedback.sorting import Sorted, What, sort
from mailer.links import Tokens

AT_ONCE = 50  # mails between two bookmarks
AT_MOST = 2000  # of one call: a flood must not keep the clock from ringing
Writing = Callable[[], AbstractContextManager[Session]]


def poll(mailbox: Mailbox, writing: Writing, tokens: Tokens, *, now: datetime) -> Counter[What]:
    """Take in what is new in a mailbox. Returns how many mails were what.

    raises  Trouble when the database is away, and whatever the mailbox raises: then the rest waits for the next call
    """
    with writing() as session:
        mark = session.get(Bookmark, mailbox.place)
        after = mark.uid if mark is not None and mark.validity == mailbox.validity else 0
    counted: Counter[What] = Counter()
    for numbers in mailbox.numbers(after):
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            done = [number for number in some if _take(mailbox, number, writing, tokens, counted, now)]
            mailbox.set_aside(done)
            with writing() as session:
                _mark(session, mailbox, some[-1])
            if counted.total() >= AT_MOST:
                return counted
    return counted


def _take(
    mailbox: Mailbox, number: int, writing: Writing, tokens: Tokens, counted: Counter[What], now: datetime
) -> bool:
    """Take in one mail. Returns whether it is ours."""
    mail = mailbox.mail(number)
    if mail is None:
        return False
    found: Sorted = sort(mail.octets, tokens)
    with writing() as session:
        counted[intake.take(session, found, at=mail.at, now=now)] += 1
    return found.is_ours


def _mark(session: Session, mailbox: Mailbox, uid: int) -> None:
    """Keep how far we are; another program may be farther."""
    insert = insert_of(session, Bookmark)
    insert = insert.values(place=mailbox.place, validity=mailbox.validity, uid=uid)
    new = insert.excluded
    session.connection().execute(
        insert.on_conflict_do_update(
            index_elements=["place"],
            set_={"validity": new.validity, "uid": new.uid},
            where=sa.or_(col(Bookmark.validity) != new.validity, col(Bookmark.uid) < new.uid),
        )
    )
