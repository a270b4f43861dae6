"""A member's life in the register: enrolled, confirmed, gone, erased; and everything held about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from subscribers import consent, suppression
from subscribers.address import Address
from subscribers.errors import Refused
from subscribers.models import (
    Access,
    AddressChange,
    Consent,
    ConsentKind,
    District,
    Erased,
    FormerAddress,
    Ground,
    Member,
    MemberDistrict,
    MemberTopic,
    Scope,
    SignUp,
    State,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.number import number_key


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Someone who enrols by themselves or is entered by hand; choices come after, by `preferences.change`."""

    address: Address
    given_name: str | None = None
    family_name: str | None = None
    number: str | None = None
    language: str = "sv"
    ground: Ground = Ground.SUPPORTER


def add(session: Session, person: Newcomer, *, publications: Collection[str], now: datetime) -> int:
    """Enrol one person and return the new id. A supporter is `pending` until they confirm.

    raises  Refused when the member number is taken
    """
    key = number_key(person.number) if person.number else None
    if key and session.exec(select(Member.id).where(Member.number_key == key)).first() is not None:
        raise Refused("There is a member with this number already.")
    member = Member(
        number=person.number,
        number_key=key,
        address=person.address.text,
        address_key=person.address.key,
        given_name=person.given_name,
        family_name=person.family_name,
        language=person.language,
        ground=person.ground,
        state=State.PENDING if person.ground is Ground.SUPPORTER else State.ACTIVE,
        created_at=now,
        changed_at=now,
    )
    session.add(member)
    session.flush()
    assert member.id is not None  # noqa: S101  # flushed: the database gave it one
    session.add_all(Subscription(member_id=member.id, publication=slug, since=now) for slug in publications)
    session.flush()
    return member.id


def confirm(
    session: Session, member_id: int, *, publication: str | None = None, source: str, wording: str, now: datetime
) -> None:
    """Keep the proof that an address is its owner's; it makes a pending supporter active.

    raises  Refused when the member is unknown, has left or was erased
    """
    member = session.get(Member, member_id)
    if member is None or member.state not in (State.PENDING, State.ACTIVE):
        raise Refused("This person is not in the register any more; sign up anew.")
    member.state, member.changed_at = State.ACTIVE, now
    kind = ConsentKind.CONFIRMED
    session.add(
        Consent(member_id=member_id, publication=publication, kind=kind, at=now, source=source, wording=wording)
    )
    session.flush()


def readmit(session: Session, address: Address, *, number: str | None = None) -> bool:
    """Let someone who was erased come back, because they asked us to: by the sign-up page, or by an import.

    returns  whether there was anything to forget
    """
    keys = [address.key] + ([number_key(number)] if number else [])
    forgotten = session.exec(delete(Erased).where(col(Erased.key).in_(keys))).rowcount
    suppression.lift(session, address.key, reason="erased")
    return bool(forgotten)


def leave(session: Session, member_id: int, *, source: str, now: datetime) -> None:
    """Let a member go by their own wish: nothing more is sent and no import brings them back."""
    member = session.get(Member, member_id)
    if member is None or member.state in (State.LEFT, State.ERASED):
        return
    consent.withdraw(session, member_id, publication=None, source=source, now=now)
    member.state, member.changed_at = State.LEFT, now
    session.flush()


HOLDS_TEXTS = (
    "member",
    "consent",
    "sign_up",
    "address_change",
)  # the tables that `erase` takes texts about a person from


def erase(session: Session, member_id: int, now: datetime) -> None:
    """Forget a member, GDPR Art. 17: an empty shell keeps the id taken. Safe to repeat.

    Kept are keyed hashes of number and address (Art. 17(3), 21(3)), apart from the shell, so that no import
    brings them back. The address is suppressed unless someone else in the register has it too.
    raises  Refused when there is no such member
    """
    member = session.get(Member, member_id)
    if member is None:
        raise Refused("There is no member {member}.", member=member_id)
    _keep_out(session, member, now)
    if member.address_key is not None and not _shared(session, member):
        suppression.suppress(session, member.address_key, scope=Scope.ALL, reason="erased", now=now)
    _forget(session, member, now)


def forget_leaver(session: Session, member: Member, now: datetime) -> None:
    """Forget somebody who left long ago. Whoever left by their own wish is kept out of imports, as hashes.

    Unlike someone who asked to be erased they can come back by signing up: their address stays suppressed as left.
    """
    if member.id in consent.withdrawn(session, [member.id or 0]):
        _keep_out(session, member, now)
    _forget(session, member, now)


def _keep_out(session: Session, member: Member, now: datetime) -> None:
    former = session.exec(select(FormerAddress.address_key).where(FormerAddress.member_id == member.id))
    for key in (member.number_key, member.address_key, *former):
        if key is not None:
            session.merge(Erased(key=key, at=now))


def _forget(session: Session, member: Member, now: datetime) -> None:
    tables: tuple[
        type[MemberDistrict | MemberTopic | Subscription | Consent | AddressChange | FormerAddress | SignUp], ...
    ]
    tables = (MemberDistrict, MemberTopic, Subscription, Consent, AddressChange, FormerAddress, SignUp)
    for table in tables:
        session.exec(delete(table).where(col(table.member_id) == member.id))
    empty(member, now)
    session.flush()


def has_forgotten(session: Session, since: datetime) -> bool:
    """Whether anybody was forgotten since then: their texts may still lie in the database's files."""
    query = select(Member.id).where(Member.state == State.ERASED, Member.changed_at >= since)
    return session.exec(query.limit(1)).first() is not None


def export(session: Session, member_id: int) -> dict[str, object]:
    """Return everything the register holds about a member, GDPR Art. 15 and 20, ready for JSON.

    What was sent is the post office's to add. raises Refused when there is no such member
    """
    member = session.get(Member, member_id)
    if member is None:
        raise Refused("There is no member {member}.", member=member_id)
    districts = select(District.slug).join(MemberDistrict).where(MemberDistrict.member_id == member_id)
    topics = select(Topic.slug).join(MemberTopic).where(MemberTopic.member_id == member_id)
    hidden = {"number_key", "address_key", "member_id"}
    return {
        **member.model_dump(exclude=hidden),
        "districts": sorted(session.exec(districts)),
        "topics": sorted(session.exec(topics)),
        "publications": _held(session, select(Subscription).where(Subscription.member_id == member_id), hidden),
        "consents": _held(session, select(Consent).where(Consent.member_id == member_id), hidden),
        "suppressions": _held(session, _suppressions(member), hidden),
        "address_changes": _held(session, select(AddressChange).where(AddressChange.member_id == member_id), hidden),
        "former_addresses": _held(session, select(FormerAddress).where(FormerAddress.member_id == member_id), hidden),
        "sign_ups": _held(session, select(SignUp).where(SignUp.member_id == member_id), hidden),
        "accesses": _held(session, select(Access).where(Access.member_id == member_id), hidden),
    }


def _suppressions(member: Member) -> SelectOfScalar[Suppression]:
    return select(Suppression).where(Suppression.address_key == (member.address_key or b""))


def _held(session: Session, query: SelectOfScalar[Any], hidden: set[str]) -> list[dict[str, object]]:
    return [row.model_dump(exclude=hidden) for row in session.exec(query)]


def empty(member: Member, now: datetime) -> None:
    """Leave a shell that keeps the id taken: links that name it are to lead nowhere, and not to somebody else."""
    member.number = member.address = member.given_name = member.family_name = None
    member.number_key = member.address_key = member.chosen_by = member.address_by = member.address_since = None
    member.plain_only, member.language, member.ground = False, "sv", Ground.MEMBER
    member.state, member.changed_at = State.ERASED, now


def _shared(session: Session, member: Member) -> bool:
    query = select(Member.id).where(
        Member.address_key == member.address_key,
        Member.id != member.id,
        col(Member.state).in_([State.ACTIVE, State.PENDING]),
    )
    return session.exec(query.limit(1)).first() is not None
