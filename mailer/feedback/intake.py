"""Does what a sorted mail asks for, and counts it. The caller's transaction; a mail told twice is done once."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, select

from mailer import leaving
from mailer.feedback import book
from mailer.feedback.book import insert_of
from mailer.feedback.events import Event
from mailer.feedback.models import Incoming, Kind
from mailer.feedback.reading.reports import Report
from mailer.feedback.sorting import Sorted, What
from mailer.links import Claim
from mailer.outbox.models import Delivery, Mailing

SOURCE = "mailbox"
GOOD_FOR = timedelta(days=60)  # servers try for a week; later a mail about a letter is old news, or a stolen address
_KINDS = {What.BOUNCE: Kind.BOUNCE, What.COMPLAINT: Kind.COMPLAINT}


def take(session: Session, mail: Sorted, *, at: datetime, now: datetime) -> What:
    """Do what `mail` asks for. `at` is when it arrived. Returns what it turned out to be: an old report is a stray."""
    what, claim = mail.what, mail.claim
    if claim is not None and what in _KINDS and not _is_known(session, claim, now):
        what = What.STRAY
    if claim is not None and what is What.UNSUBSCRIBE:
        leaving.withdraw(session, claim, source=leaving.BY_MAIL, now=now)
    elif claim is not None and what in _KINDS:
        book.take_in(session, _event(_KINDS[what], claim, mail.report, min(at, now)), now=now)
    _count(session, what)
    return what


def _is_known(session: Session, claim: Claim, now: datetime) -> bool:
    """Whether we wrote that letter, and lately."""
    letter = (
        select(Mailing.created_at)
        .join(Delivery, col(Delivery.mailing_id) == col(Mailing.id))
        .where(Mailing.id == claim.mailing, Delivery.member_id == claim.member)
    )
    written = session.exec(letter.limit(1)).first()
    return written is not None and written > now - GOOD_FOR


def _event(kind: Kind, claim: Claim, report: Report | None, at: datetime) -> Event:
    said = "" if report is None else f"{report.cause}\n{report.status}\n{report.reply}\n{report.words}"
    digest = sha256(said.encode()).hexdigest()[:32]
    key = f"{SOURCE}:{kind}:{claim.mailing}:{claim.member}:{digest}"
    event = Event(key=key, kind=kind, source=SOURCE, member=claim.member, mailing=claim.mailing, at=at)
    if report is None:
        return event
    return replace(event, cause=report.cause, status=report.status, reply=report.reply, words=report.words)


def _count(session: Session, what: What) -> None:
    insert = insert_of(session, Incoming).values(what=what.value, number=1)
    more = insert.on_conflict_do_update(index_elements=["what"], set_={"number": col(Incoming.number) + 1})
    session.connection().execute(more)


def counted(session: Session) -> dict[str, int]:
    """Return how many mails of each kind came in so far."""
    numbers = {row.what: row.number for row in session.exec(select(Incoming))}
    return {what.value: numbers.get(what.value, 0) for what in What}
