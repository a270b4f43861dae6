"""Consent: given, confirmed, withdrawn. The evidence is only ever appended to, GDPR Art. 7(1).

Withdrawing is per member: the other half of a couple keeps their subscription. The address itself is
suppressed once nobody who has it subscribes to anything, so that no later import writes there.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from subscribers import suppression
from subscribers.errors import Refused
from subscribers.models import Consent, ConsentKind, Ground, Member, Scope, State, Subscription


def withdraw(session: Session, member_id: int, *, publication: str | None, source: str, now: datetime) -> bool:
    """End a member's subscription, or all of them when `publication` is None. Safe to repeat.

    source   link, one-click, form or secretary
    returns  whether anything changed; False also for a member who is unknown or erased
    """
    if publication is not None:
        return bool(withdraw_many(session, [member_id], publication=publication, source=source, now=now))
    member = session.get(Member, member_id)
    if member is None or member.state is State.ERASED:
        return False
    ended = _end(session, member_id, now)
    if not ended and member_id in withdrawn(session, [member_id]):
        return False
    session.add(Consent(member_id=member_id, publication=None, kind=ConsentKind.WITHDRAWN, at=now, source=source))
    member.changed_at = now
    _leave_everything(session, member, now)
    session.flush()
    return True


def withdraw_many(
    session: Session, member_ids: Collection[int], *, publication: str, source: str, now: datetime
) -> list[int]:
    """End the subscription of each of `member_ids` (some hundreds at most) in three statements, as `withdraw`.

    returns  those who had it
    """
    known = sa.select(col(Member.id)).where(col(Member.id).in_(member_ids), col(Member.state) != State.ERASED)
    end = sa.update(Subscription).where(
        col(Subscription.member_id).in_(known),
        col(Subscription.publication) == publication,
        col(Subscription.ended_at).is_(None),
    )
    session.flush()
    left = list(session.scalars(end.values(ended_at=now).returning(col(Subscription.member_id))))
    if left:
        evidence = {"publication": publication, "kind": ConsentKind.WITHDRAWN, "at": now, "source": source}
        session.connection().execute(sa.insert(Consent), [{"member_id": member, **evidence} for member in left])
        session.execute(sa.update(Member).where(col(Member.id).in_(left)).values(changed_at=now))
    return left


def give(  # noqa: PLR0913  # the evidence has this many parts
    session: Session,
    member_id: int,
    *,
    publication: str | None,
    source: str,
    wording: str,
    now: datetime,
    evidence: str | None = None,
    asked_at: datetime | None = None,
) -> None:
    """Subscribe a member who asks for it; `publication` None takes back their last "leave everything".

    wording   version of the text they said yes to
    evidence  that text, where it was shown to them; stored sealed
    asked_at  when they said so, if not now
    raises    Refused when the member is unknown or erased
    """
    member = session.get(Member, member_id)
    if member is None or member.state is State.ERASED:
        raise Refused("This person is not in the register any more; sign up anew.")
    for slug in [publication] if publication else _ended_last(session, member_id):
        _open(session, member_id, slug, now)
    if member.state is State.LEFT:
        # Whoever left is a member no more: their own yes is what we write to them on. A pending one confirms first.
        member.state, member.ground = State.ACTIVE, Ground.SUPPORTER
    member.changed_at = now
    if member.address_key is not None:
        suppression.lift(session, member.address_key, reason="left")
    session.add(
        Consent(
            member_id=member_id,
            publication=publication,
            kind=ConsentKind.GIVEN,
            at=asked_at or now,
            source=source,
            wording=wording,
            evidence=evidence,
        )
    )
    session.flush()


def withdrawn(session: Session, member_ids: Collection[int]) -> set[int]:
    """Return who of `member_ids` (some thousands at most) left everything and has not taken that back."""
    return _last_word_was_no(session, col(Consent.member_id).in_(member_ids))


def all_withdrawn(session: Session) -> set[int]:
    """Return everyone who left everything and has not taken that back."""
    return _last_word_was_no(session, sa.true())


def _last_word_was_no(session: Session, condition: sa.ColumnElement[bool]) -> set[int]:
    last = select(sa.func.max(Consent.id)).where(col(Consent.publication).is_(None), condition)
    last = last.group_by(col(Consent.member_id))
    return set(
        session.exec(select(Consent.member_id).where(col(Consent.id).in_(last), Consent.kind == ConsentKind.WITHDRAWN))
    )


def _end(session: Session, member_id: int, now: datetime) -> bool:
    """End the open subscriptions; return whether there were any."""
    query = select(Subscription).where(Subscription.member_id == member_id, col(Subscription.ended_at).is_(None))
    subscriptions = session.exec(query).all()
    for subscription in subscriptions:
        subscription.ended_at = now
    session.flush()
    return bool(subscriptions)


def _leave_everything(session: Session, member: Member, now: datetime) -> None:
    if member.ground is Ground.SUPPORTER:
        member.state = State.LEFT
    session.flush()
    if member.address_key is not None and not _is_read(session, member.address_key):
        suppression.suppress(session, member.address_key, scope=Scope.BULK, reason="left", now=now)


def _is_read(session: Session, address_key: bytes) -> bool:
    """Say whether anyone who has this address subscribes to something."""
    query = (
        select(Member.id)
        .join(Subscription, col(Subscription.member_id) == col(Member.id))
        .where(
            Member.address_key == address_key,
            col(Member.state).in_([State.ACTIVE, State.PENDING]),
            col(Subscription.ended_at).is_(None),
        )
    )
    return session.exec(query.limit(1)).first() is not None


def _ended_last(session: Session, member_id: int) -> list[str]:
    """Return the publications that ended when the member last left everything."""
    query = select(Consent.at).where(
        Consent.member_id == member_id,
        Consent.kind == ConsentKind.WITHDRAWN,
        col(Consent.publication).is_(None),
    )
    moment = session.exec(query.order_by(col(Consent.id).desc()).limit(1)).first()
    ended = select(Subscription.publication).where(Subscription.member_id == member_id, Subscription.ended_at == moment)
    return [] if moment is None else list(session.exec(ended))


def _open(session: Session, member_id: int, publication: str, now: datetime) -> None:
    subscription = session.get(Subscription, (member_id, publication))
    if subscription is None:
        session.add(Subscription(member_id=member_id, publication=publication, since=now))
    elif subscription.ended_at is not None:
        subscription.ended_at, subscription.since, subscription.paused_until = None, now, None
