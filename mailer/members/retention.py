"""What is no longer needed is deleted: a rule per kind, in short transactions, each as often as it takes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.campaigns import keeping as campaigns
from mailer.config.members import Retention
from mailer.events import answers
from mailer.feedback.models import Feedback
from mailer.members import recruiting, welcomes
from mailer.members.places import LETTERS_ABOUT_ANSWERS
from mailer.operators import keeping as approvals
from mailer.outbox import archive, kept
from mailer.outbox.models import Delivery, Mailing
from mailer.sentences import N_
from subscribers import enrolment, joining
from subscribers.models import Access, Member, SignUp, State

AT_ONCE = 200  # rows a transaction: nobody who writes beside us waits 200 ms

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is deleted when it is older than `kept` says.

    due     the statement that finds the ids of what is, oldest first
    delete  deletes at most so many from before then, and returns how many
    """

    kept: Callable[[Retention], timedelta]
    due: Callable[[datetime], sa.Select[int | None]]
    delete: Callable[[Session, datetime, datetime], int]


@dataclass(frozen=True, slots=True)
class Due:
    """A rule as a person reads it: what, how long it is kept, how many wait for deletion."""

    what: str
    kept_days: float
    due: int


def report(session: Session, retention: Retention, now: datetime) -> list[Due]:
    """Say what would be deleted now; nothing is."""
    return [
        Due(
            what=name,
            kept_days=round(rule.kept(retention) / timedelta(days=1), 2),
            due=session.scalar(sa.select(sa.func.count()).select_from(_before(rule, retention, now).subquery())) or 0,
        )
        for name, rule in RULES.items()
    ]


def run(transaction: Transaction, retention: Retention, now: datetime) -> dict[str, int]:
    """Delete whatever is due; return how many by rule. Stopped in the middle, the next run does the rest."""
    counts = dict.fromkeys(RULES, 0)
    for name, rule in RULES.items():
        more = AT_ONCE
        while more >= AT_ONCE:
            with transaction() as session:
                more = rule.delete(session, now - rule.kept(retention), now)
            counts[name] += more
    return counts


def _before(rule: Rule, retention: Retention, now: datetime) -> sa.Select[int | None]:
    return rule.due(now - rule.kept(retention))


def _sign_ups(before: datetime) -> sa.Select[int | None]:
    return sa.select(col(SignUp.id)).where(col(SignUp.asked_at) < before).order_by(col(SignUp.id))


def _forget_sign_ups(session: Session, before: datetime, now: datetime) -> int:
    return joining.forget(session, before=before, most=AT_ONCE, now=now)


def _leavers(before: datetime) -> sa.Select[int | None]:
    left = sa.and_(col(Member.state) == State.LEFT, col(Member.changed_at) < before)
    return sa.select(col(Member.id)).where(left).order_by(col(Member.id))


def _forget_leavers(session: Session, before: datetime, now: datetime) -> int:
    ids = session.scalars(_leavers(before).limit(AT_ONCE)).all()
    for number in ids:
        answers.forget(session, number or 0)
        recruiting.forget(session, number or 0)
        welcomes.forget(session, number or 0)
        enrolment.forget_leaver(session, session.get_one(Member, number), now)
    return len(ids)


def _details(before: datetime) -> sa.Select[int | None]:
    """Mailing by mailing: a delivery alone has no index by its age."""
    old = sa.select(col(Mailing.id)).where(col(Mailing.created_at) < before)
    told = sa.or_(col(Delivery.answer).is_not(None), col(Delivery.code).is_not(None))
    late = sa.and_(col(Delivery.mailing_id).in_(old), col(Delivery.settled_at) < before, told)
    return sa.select(col(Delivery.id)).where(late)


def _forget_details(session: Session, before: datetime, _now: datetime) -> int:
    ids = session.scalars(_details(before).limit(AT_ONCE)).all()
    session.execute(sa.update(Delivery).where(col(Delivery.id).in_(ids)).values(answer=None, code=None))
    elsewhere = sa.and_(col(Mailing.address).is_not(None), col(Mailing.created_at) < before)
    session.execute(sa.update(Mailing).where(elsewhere).values(address=None))
    return len(ids)


def _diary(before: datetime) -> sa.Select[int | None]:
    return sa.select(col(Access.id)).where(col(Access.at) < before).order_by(col(Access.id))


def _forget_diary(session: Session, before: datetime, _now: datetime) -> int:
    ids = session.scalars(_diary(before).limit(AT_ONCE)).all()
    session.execute(sa.delete(Access).where(col(Access.id).in_(ids)))
    return len(ids)


def _feedback(before: datetime) -> sa.Select[int | None]:
    return sa.select(col(Feedback.id)).where(col(Feedback.received_at) < before).order_by(col(Feedback.id))


def _forget_feedback(session: Session, before: datetime, _now: datetime) -> int:
    ids = session.scalars(_feedback(before).limit(AT_ONCE)).all()
    session.execute(sa.delete(Feedback).where(col(Feedback.id).in_(ids)))
    return len(ids)


def _forget_answers(session: Session, before: datetime, _now: datetime) -> int:
    return answers.forget_over(session, before=before, most=AT_ONCE)


def _letters_about_answers(before: datetime) -> sa.Select[int | None]:
    """That somebody got a place is an answer, too."""
    return kept.letters_too_old(LETTERS_ABOUT_ANSWERS, before)


def _forget_letters_about_answers(session: Session, before: datetime, _now: datetime) -> int:
    return kept.forget_letters(session, LETTERS_ABOUT_ANSWERS, before=before, most=AT_ONCE)


def _forget_archive(session: Session, before: datetime, _now: datetime) -> int:
    return archive.forget(session, before=before, most=AT_ONCE)


def _forget_letters(session: Session, before: datetime, _now: datetime) -> int:
    return kept.forget(session, before=before, most=AT_ONCE)


def _forget_pieces(session: Session, before: datetime, _now: datetime) -> int:
    return kept.forget_pieces(session, before=before, most=AT_ONCE)


def _forget_texts(session: Session, before: datetime, _now: datetime) -> int:
    return campaigns.forget_texts(session, before=before, most=AT_ONCE)


def _forget_records(session: Session, before: datetime, _now: datetime) -> int:
    return campaigns.forget_records(session, before=before, most=AT_ONCE)


def _forget_approvals(session: Session, before: datetime, _now: datetime) -> int:
    return approvals.forget(session, before=before, most=AT_ONCE)


# What the archive no longer shows may be forgotten as a letter too, so it comes first.
RULES: Mapping[str, Rule] = {
    N_("sign-ups"): Rule(lambda config: config.sign_ups, _sign_ups, _forget_sign_ups),
    N_("leavers"): Rule(lambda config: config.leavers, _leavers, _forget_leavers),
    N_("delivery details"): Rule(lambda config: config.delivery_details, _details, _forget_details),
    N_("feedback"): Rule(lambda config: config.feedback, _feedback, _forget_feedback),
    N_("answers to events"): Rule(lambda config: config.answers, answers.over, _forget_answers),
    N_("letters about answers"): Rule(
        lambda config: config.answers, _letters_about_answers, _forget_letters_about_answers
    ),
    N_("archive"): Rule(lambda config: config.archive, archive.too_old, _forget_archive),
    N_("letters as web pages"): Rule(lambda config: config.letters, kept.too_old, _forget_letters),
    N_("news and events in letters"): Rule(lambda config: config.letters, kept.pieces_too_old, _forget_pieces),
    N_("texts of campaigns"): Rule(lambda config: config.letters, campaigns.texts_too_old, _forget_texts),
    N_("records of campaigns"): Rule(lambda config: config.records, campaigns.records_too_old, _forget_records),
    N_("approvals"): Rule(lambda config: config.records, approvals.too_old, _forget_approvals),
    N_("diary"): Rule(lambda config: config.diary, _diary, _forget_diary),
}
