"""Addresses that are not written to, known by their keyed hash alone; they outlive the member."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from subscribers.models import Member, Scope, Suppression

Reason = Literal["dead", "erased", "asked", "complaint", "left"]


def suppress(session: Session, address_key: bytes, *, scope: Scope, reason: Reason, now: datetime) -> None:
    """Stop mail to an address. Safe to repeat; a repeat may widen the scope and never narrows it."""
    known = session.exec(_row(address_key, reason)).one_or_none()
    if known is None:
        session.add(Suppression(address_key=address_key, scope=scope, reason=reason, at=now))
    elif scope is Scope.ALL:
        known.scope = scope
    session.flush()


def lift(session: Session, address_key: bytes, *, reason: Reason) -> None:
    """Take back one reason; what other reasons suppress stays suppressed."""
    session.exec(
        delete(Suppression).where(col(Suppression.address_key) == address_key, col(Suppression.reason) == reason)
    )


def scope_of(session: Session, address_key: bytes) -> Scope | None:
    """Return the widest scope the address is suppressed in, None when mail may go there."""
    scopes = session.exec(select(Suppression.scope).where(Suppression.address_key == address_key)).all()
    if Scope.ALL in scopes:
        return Scope.ALL
    return Scope.BULK if scopes else None


def is_suppressed(session: Session, address_key: bytes, *, statutory: bool = False) -> bool:
    """Say whether mail must not go there; only scope `all` stops a statutory letter."""
    scope = scope_of(session, address_key)
    return scope is Scope.ALL or (scope is Scope.BULK and not statutory)


def _row(address_key: bytes, reason: Reason) -> SelectOfScalar[Suppression]:
    return select(Suppression).where(Suppression.address_key == address_key, Suppression.reason == reason)


def lift_ours(session: Session, address_key: bytes) -> list[str]:
    """Take back what we concluded or were asked; return the reasons that only the member can take back."""
    for reason in ("dead", "asked"):
        lift(session, address_key, reason=reason)
    rows = select(Suppression.reason).where(Suppression.address_key == address_key)
    return sorted(session.exec(rows))


def everything(session: Session) -> Sequence[Suppression]:
    return session.exec(select(Suppression).order_by(col(Suppression.id))).all()


def listed(session: Session) -> Iterator[dict[str, object]]:
    """Yield each suppression with the ids of the members who have that address."""
    having: dict[bytes, list[int]] = {}
    keys = select(Member.address_key, Member.id).where(
        col(Member.address_key).in_(select(Suppression.address_key)),
    )
    for key, member in session.exec(keys.order_by(col(Member.id))):
        having.setdefault(key or b"", []).append(member or 0)
    for row in everything(session):
        members = tuple(having.get(row.address_key, ()))
        yield {"id": row.id, "scope": row.scope.value, "reason": row.reason, "at": row.at, "members": members}
