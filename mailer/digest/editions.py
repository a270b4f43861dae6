"""An edition and what its editor decides: drafted once a week, changed, approved. Nothing is sent from here."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.digest.calendar import moment_in, period_of
from mailer.digest.models import Edition, EditionChoice
from mailer.errors import Mistake
from mailer.news.models import NewsItem
from mailer.outbox import ledger
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import Mailing, MailingState
from mailer.sentences import Word

LETTER = "digest"
_LATEST = 10
_ROOM = timedelta(hours=1)  # for the clock to begin what was approved at the last moment
_OPEN = (MailingState.DRAFT, MailingState.APPROVED)


def draft(session: Session, settings: Settings, publication: str, now: datetime) -> Edition | None:
    """Open this week's edition; None when there is one already, whoever drafted it."""
    require_publication(settings, publication)
    period = period_of(now, settings.site.zone)
    key = f"{publication}:{period}"
    mailing = Mailing(key=key, publication=publication, letter=LETTER, state=MailingState.DRAFT, created_at=now)
    _give_time_of_week(mailing, period, settings)
    mailing_id = open_mailing(session, mailing)
    if mailing_id is None:
        return None
    edition = Edition(publication=publication, period=period, mailing_id=mailing_id, drafted_at=now)
    session.add(edition)
    session.flush()
    return edition


def _give_time_of_week(mailing: Mailing, period: str, settings: Settings) -> None:
    mailing.send_at = send_at = moment_in(period, settings.digest.send, settings.site.zone)
    mailing.late_at = send_at + settings.digest.grace
    mailing.give_up_at = send_at + settings.outbox.give_up_after


def find(session: Session, settings: Settings, name: str, now: datetime) -> Edition:
    """Return the edition called "weekly:2026-W47"; a publication alone means this week's. raises Mistake"""
    publication, _, period = name.partition(":")
    require_publication(settings, publication)
    return of_period(session, publication, period or period_of(now, settings.site.zone))


def of_period(session: Session, publication: str, period: str) -> Edition:
    """raises Mistake when there is none"""
    edition = session.exec(select(Edition).where(Edition.publication == publication, Edition.period == period)).first()
    if edition is None:
        raise Mistake(
            "There is no edition {publication}:{period}: run `utskick editions draft {publication}`.",
            publication=publication,
            period=period,
        )
    return edition


def mailing_of(session: Session, edition: Edition) -> Mailing:
    return session.exec(select(Mailing).where(Mailing.id == edition.mailing_id)).one()


def require_draft(session: Session, edition: Edition) -> None:
    """raises Mistake when it is past that"""
    mailing = mailing_of(session, edition)
    if mailing.state is not MailingState.DRAFT:
        raise Mistake(
            "The edition {key} is {state}: only a draft can be approved.", key=mailing.key, state=Word(mailing.state)
        )


def approve(session: Session, edition: Edition, *, who: str, now: datetime, not_before: datetime | None = None) -> None:
    """Let a draft go out at its time, but not before `not_before`. raises Mistake when it is no draft."""
    require_draft(session, edition)
    mailing = mailing_of(session, edition)
    mailing.state = MailingState.APPROVED
    edition.approved_at, edition.approved_by, edition.not_before = now, who, not_before
    if not_before is not None and mailing.late_at is not None and mailing.late_at >= now:
        mailing.late_at = max(mailing.late_at, not_before + _ROOM)  # it was in time when it was approved
    session.flush()


def require_same(session: Session, edition: Edition, content: str) -> None:
    """raises Mistake when its editor decided otherwise since `content` was looked at (content_of)"""
    if content_of(session, edition) != content:
        raise Mistake("{key} was changed just now: look at it again.", key=mailing_of(session, edition).key)


def take_back(session: Session, settings: Settings, edition: Edition) -> None:
    """Make a draft again of what was approved and has not begun. raises Mistake when it has

    It has its own time again: one that was told to go now goes with its week once it is approved anew.
    """
    _reopen(session, edition)
    _give_time_of_week(mailing_of(session, edition), edition.period, settings)
    session.flush()


def content_of(session: Session, edition: Edition) -> str:
    """Return a hash of what its editor decided. News that come in later are in it like those there are."""
    choices = session.exec(
        select(EditionChoice).where(EditionChoice.edition_id == edition.id).order_by(col(EditionChoice.item_id))
    )
    said = [edition.subject, edition.intro, *([it.item_id, it.position, it.lead, it.left_out] for it in choices)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def set_subject(session: Session, edition: Edition, subject: str | None) -> None:
    """Use `subject` on every mail of the edition; None lets each mail name its first item."""
    _reopen(session, edition)
    edition.subject = " ".join(subject.split()) or None if subject else None
    session.flush()


def set_intro(session: Session, edition: Edition, intro: str | None) -> None:
    """Greet all readers with `intro`: plain text, paragraphs apart by a blank line."""
    _reopen(session, edition)
    edition.intro = intro.strip() or None if intro else None
    session.flush()


def lead_with(session: Session, edition: Edition, item_id: int) -> None:
    """Let one item stand first with everyone it concerns; the one that led steps back."""
    _reopen(session, edition)
    led = select(EditionChoice).where(EditionChoice.edition_id == edition.id, col(EditionChoice.lead))
    for choice in session.exec(led):
        choice.lead = False
    _choice(session, edition, item_id).lead = True
    session.flush()


def put_in_order(session: Session, edition: Edition, item_ids: Sequence[int]) -> None:
    """Place items in this order before all others; an empty list goes back to important and newest."""
    if len(set(item_ids)) != len(item_ids):
        raise Mistake("An item can have one place only: name each once.")
    _reopen(session, edition)
    for choice in session.exec(select(EditionChoice).where(EditionChoice.edition_id == edition.id)):
        choice.position = None
    for position, item_id in enumerate(item_ids):
        _choice(session, edition, item_id).position = position
    session.flush()


def leave_out(session: Session, edition: Edition, item_id: int) -> None:
    """Keep an item out of this edition; it stays a candidate of the next."""
    _reopen(session, edition)
    _choice(session, edition, item_id).left_out = True
    session.flush()


def take_back_in(session: Session, edition: Edition, item_id: int) -> None:
    _reopen(session, edition)
    _choice(session, edition, item_id).left_out = False
    session.flush()


def require_publication(settings: Settings, publication: str) -> None:
    settings.require_stream(publication, "bulk")


def _reopen(session: Session, edition: Edition) -> None:
    """Allow a change. What was approved is a draft again, and a plan being written of it is overtaken."""
    mailing = mailing_of(session, edition)
    if mailing.state not in _OPEN:
        raise Mistake(
            "The edition {key} is {state} and can no longer be changed: "
            "mend what it says with `utskick news edit` and `utskick editions correct`.",
            key=mailing.key,
            state=Word(mailing.state),
        )
    mailing.state = MailingState.DRAFT
    mailing.planning += 1
    edition.approved_at = edition.approved_by = edition.not_before = None


def _choice(session: Session, edition: Edition, item_id: int) -> EditionChoice:
    if session.get(NewsItem, item_id) is None:
        raise Mistake("There is no news item {item}: `utskick news list` shows them.", item=item_id)
    choice = session.get(EditionChoice, (edition.id, item_id))
    if choice is None:
        choice = EditionChoice(edition_id=edition.id or 0, item_id=item_id)
        session.add(choice)
    return choice


def status(session: Session, edition: Edition | None = None) -> list[dict[str, object]]:
    """Return the latest mailings of editions and their corrections; of one edition with the counts per state."""
    mailings = select(Mailing).where(Mailing.letter == LETTER).order_by(col(Mailing.id).desc())
    if edition is None:
        return [_status_row(session, mailing) for mailing in session.exec(mailings.limit(_LATEST))]
    key = f"{edition.publication}:{edition.period}"
    mine = mailings.where((col(Mailing.key) == key) | col(Mailing.key).startswith(f"{key}:", autoescape=True))
    return [_status_row(session, mailing) | _counts(session, mailing) for mailing in session.exec(mine)]


def _status_row(session: Session, mailing: Mailing) -> dict[str, object]:
    edition = session.exec(select(Edition).where(Edition.mailing_id == mailing.id)).first()
    return {
        "key": mailing.key,
        "publication": mailing.publication,
        "state": mailing.state.value,
        "reason": mailing.reason,
        "drafted_at": mailing.created_at,
        "approved_at": edition.approved_at if edition else None,
        "approved_by": edition.approved_by if edition else None,
        "send_at": mailing.send_at,
        "done_at": mailing.done_at,
        "subject": edition.subject if edition else None,
        "candidates": mailing.candidates,
    }


def _counts(session: Session, mailing: Mailing) -> dict[str, object]:
    found = ledger.counts(session.connection(), mailing.id or 0, mailing.plan)
    return {state.value: count for state, count in found.items()}
