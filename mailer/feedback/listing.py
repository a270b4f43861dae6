"""What people see of what came back. Reads only; nobody is named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.feedback.causes import verdict_of
from mailer.feedback.models import Feedback, HookCall, Kind, Standing
from mailer.outbox.models import Mailing
from mailer.sentences import N_
from subscribers.models import District, Member, MemberDistrict, State, Subscription, Suppression

MOST = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as listed."""

    id: int
    at: datetime
    member: int
    mailing: str
    kind: str
    source: str
    cause: str
    verdict: str
    action: str
    standing: str
    words: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A district and how many of its members have an address that is dead; `members` are their ids."""

    district: str
    count: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something a provider told that was not described when this was written; `what` masked."""

    at: datetime
    provider: str
    what: str


@dataclass(frozen=True, slots=True)
class CameIn:
    """How many mails of a mailbox were what."""

    what: str
    mails: int


def events(session: Session, *, mailing: str | None, member: int | None, held: bool, most: int = MOST) -> list[Told]:
    """Return events, the newest first."""
    query = select(Feedback, Mailing.key).outerjoin(Mailing, col(Mailing.id) == col(Feedback.mailing_id))
    if mailing is not None:
        query = query.where(Mailing.key == mailing)
    if member is not None:
        query = query.where(Feedback.member_id == member)
    if held:
        query = query.where(Feedback.standing == Standing.HELD)
    rows = session.exec(query.order_by(col(Feedback.at).desc(), col(Feedback.id).desc()).limit(most))
    return [_told(feedback, key) for feedback, key in rows]


def told(session: Session, feedback: Feedback) -> Told:
    """Return one event as it is listed."""
    return _told(feedback, session.exec(select(Mailing.key).where(Mailing.id == feedback.mailing_id)).first())


def _told(feedback: Feedback, mailing: str | None) -> Told:
    verdict = verdict_of(feedback.cause) if feedback.cause is not None else None
    return Told(
        id=feedback.id or 0,
        at=feedback.at,
        member=feedback.member_id,
        mailing=mailing or "",
        kind=feedback.kind.value,
        source=feedback.source,
        cause=feedback.cause.value if feedback.cause is not None else "",
        verdict=verdict.value if verdict is not None else "",
        action=feedback.action.value,
        standing=feedback.standing.value,
        words=feedback.words,
    )


def unknown(session: Session, *, most: int = MOST) -> list[Unknown]:
    """Return what providers told and nobody understood, the newest first; what was about no mail of ours too."""
    query = select(HookCall).where(HookCall.words != "").order_by(col(HookCall.received_at).desc(), HookCall.key)
    return [Unknown(call.received_at, call.provider, call.words) for call in session.exec(query.limit(most))]


def dead(session: Session) -> list[Dead]:
    """Return, for each district with some, its members whose address is dead; those without a district come last."""
    rows = session.exec(
        select(District.name, Member.id)
        .select_from(Member)
        .join(Suppression, col(Suppression.address_key) == col(Member.address_key))
        .outerjoin(MemberDistrict, col(MemberDistrict.member_id) == col(Member.id))
        .outerjoin(District, col(District.id) == col(MemberDistrict.district_id))
        .where(Suppression.reason == "dead", col(Member.state).in_((State.ACTIVE, State.PENDING)))
        .order_by(col(District.name).is_(None), col(District.name), col(Member.id))
    )
    found: dict[str, list[int]] = {}
    for district, member in rows:
        found.setdefault(district or "", []).append(member or 0)
    return [Dead(district, len(members), tuple(members)) for district, members in found.items()]


NO_ADDRESS = N_("No address is known.")
HAS_LEFT = N_("They have left, and are written to no more.")
ERASED = N_("They were erased; nothing is known of them but that they may not be written to.")
PENDING = N_("They have not confirmed yet that they want mail.")
UNSUBSCRIBED = N_("They subscribe to nothing.")
PAUSED = N_("They paused until {until}.")
NOTHING = N_("Nothing stands in the way: they get mail.")
WAITING = N_("Their mail came back ({cause}), and a person has to decide whether it is true: utskick feedback held.")
SAID_TO_BE_DEAD = N_("Their address is dead: somebody said so at {at}.")
SUPPRESSED = {
    "dead": N_("Their address is dead: the last mail to it came back at {at} ({cause})."),
    "complaint": N_("Their mail program said that our mail is spam at {at}, so only statutory letters go there."),
    "left": N_("They unsubscribed from everything at {at}, so only statutory letters go there."),
    "asked": N_("Somebody asked that nothing is sent to that address at {at}."),
    "erased": ERASED,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence and its values."""

    sentence: str
    at: datetime | None = None
    cause: str = ""
    until: str = ""


def explain(session: Session, member_id: int, *, today: date) -> Explanation:
    """Say in one sentence why a member gets no mail, the strongest reason first. `today` is UTC, as pauses are."""
    member = session.get_one(Member, member_id)
    if member.state is State.ERASED:
        return Explanation(ERASED)
    if member.state is State.LEFT:
        return Explanation(HAS_LEFT)
    if member.address_key is None:
        return Explanation(NO_ADDRESS)
    return next(_suppressed(session, member), None) or _by_choice(session, member, today)


def _suppressed(session: Session, member: Member) -> Iterator[Explanation]:
    query = select(Suppression).where(Suppression.address_key == member.address_key)
    last = session.exec(
        select(Feedback)
        .where(Feedback.address_key == member.address_key, Feedback.kind == Kind.BOUNCE)
        .order_by(col(Feedback.at).desc(), col(Feedback.id).desc())
        .limit(1)
    ).first()
    cause = last.cause.value if last is not None and last.cause is not None else ""
    for row in session.exec(
        query.order_by(sa.case((col(Suppression.scope) == "all", 0), else_=1), col(Suppression.at))
    ):
        never = row.reason == "dead" and last is None
        yield Explanation(SAID_TO_BE_DEAD if never else SUPPRESSED[row.reason], at=row.at, cause=cause)
    if last is not None and last.standing is Standing.HELD:
        yield Explanation(WAITING, cause=cause)


def _by_choice(session: Session, member: Member, today: date) -> Explanation:
    if member.state is State.PENDING:
        return Explanation(PENDING)
    taken = session.exec(
        select(Subscription).where(Subscription.member_id == member.id, col(Subscription.ended_at).is_(None))
    ).all()
    if not taken:
        return Explanation(UNSUBSCRIBED)
    pauses = [it.paused_until for it in taken if it.paused_until is not None and it.paused_until > today]
    if len(pauses) == len(taken):
        return Explanation(PAUSED, until=min(pauses).isoformat())
    return Explanation(NOTHING)
