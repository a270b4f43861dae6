"""A member corrects what is stored about them, GDPR Art. 16: the name at once, the address once both mailboxes agree.

Both, because each proves something of its own: the new one that it is theirs, the old one that it is they who ask.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, delete, select

from subscribers import access, address
from subscribers.address import Address
from subscribers.errors import Refused
from subscribers.models import AddressChange, FormerAddress, Member, State

OPEN_FOR = timedelta(days=7)
BETWEEN = timedelta(minutes=10)  # two requests of one member: nobody is flooded with letters by somebody else's link
LONGEST_NAME = 100
BY_THEMSELVES = "member"  # who it was, in the register's diary


class Mailbox(StrEnum):
    NEW = "new"
    OLD = "old"


def rename(session: Session, member_id: int, *, given_name: str, family_name: str, now: datetime) -> None:
    """Set a member's name. raises Refused for a name that is none, or a member who is gone"""
    member = _member(session, member_id)
    member.given_name, member.family_name = _name(given_name), _name(family_name)
    member.changed_at = now
    access.record(session, who=BY_THEMSELVES, what=access.Act.CHANGE_NAME, member_id=member_id, now=now)
    session.flush()


def ask_to_move(session: Session, member_id: int, new: Address, *, now: datetime) -> int:
    """Note that a member wants to be written to at `new`; return the number of the change, never used again.

    A change that was asked for before and not finished is forgotten.
    raises  Refused when it is the address we have, there is none that could agree, or one was asked for just now
    """
    member = _member(session, member_id)
    if member.address_key is None:
        raise Refused("There is no address that could agree to the change: write to us.")
    if new.key == member.address_key:
        raise Refused("That is the address we write to already.")
    before = session.exec(select(AddressChange).where(AddressChange.member_id == member_id)).first()
    if before is not None and now - before.asked_at < BETWEEN:
        raise Refused("A change of address was asked for just now: wait ten minutes.")
    session.exec(delete(AddressChange).where(col(AddressChange.member_id) == member_id))
    change = AddressChange(member_id=member_id, address=new.text, asked_at=now)
    session.add(change)
    session.flush()
    return change.id or 0


def find_move(session: Session, number: int, member_id: int, now: datetime) -> AddressChange | None:
    """Return a change that still waits, None when it is done, was forgotten or is older than OPEN_FOR."""
    change = session.exec(
        select(AddressChange).where(AddressChange.id == number, AddressChange.member_id == member_id)
    ).first()
    return change if change is not None and now - change.asked_at <= OPEN_FOR else None


def agree(session: Session, change: AddressChange, mailbox: Mailbox, *, now: datetime) -> bool:
    """Let one mailbox confirm. Safe to repeat. Returns whether both have, and the address was changed.

    raises  Refused when the member is gone
    """
    if mailbox is Mailbox.NEW:
        change.new_at = change.new_at or now
    else:
        change.old_at = change.old_at or now
    session.flush()
    if change.new_at is None or change.old_at is None:
        return False
    member, new = _member(session, change.member_id), address.parse(change.address)
    if member.address_key is not None:
        session.merge(FormerAddress(member_id=change.member_id, address_key=member.address_key, at=now))
    member.address, member.address_key, member.changed_at = new.text, new.key, now
    member.address_by, member.address_since = BY_THEMSELVES, now
    access.record(session, who=BY_THEMSELVES, what=access.Act.CHANGE_ADDRESS, member_id=member.id, now=now)
    session.delete(change)
    session.flush()
    return True


def _member(session: Session, member_id: int) -> Member:
    member = session.get(Member, member_id)
    if member is None or member.state is State.ERASED:
        raise Refused("This person is not in the register any more; sign up anew.")
    return member


def _name(text: str) -> str | None:
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("A name has at most {most} characters, and none that cannot be seen.", most=LONGEST_NAME)
    return name or None
