"""Which member a person means by an id, a member number or an address."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from subscribers import address
from subscribers.errors import Refused
from subscribers.models import Member
from subscribers.number import number_key

_LARGEST_ID = 2**40  # what a link can carry


def find_member(session: Session, said: str) -> int:
    """Return the id of the member whom `said` names: "7", "M-1042", "anna@example.org", "id:7" or "number:7".

    raises  Refused  when there is none, when several share the address, or when a bare number may mean two members.
                     Nothing but an id or number as it was said is quoted
    """
    said = said.strip()
    if "@" in said:
        return _by_address(session, said)
    kind, colon, rest = said.partition(":")
    if colon and kind in {"id", "number"}:
        found = {_by_id(session, rest) if kind == "id" else _by_number(session, rest)} - {None}
    else:
        found = {_by_id(session, said), _by_number(session, said)} - {None}
    if len(found) > 1:
        raise Refused(
            "{said} is the id of one member and the member number of another: write id:{said} or number:{said}.",
            said=said,
        )
    for member_id in found:
        if member_id is not None:
            return member_id
    raise Refused("There is no member {member}.", member=said)


def _by_id(session: Session, said: str) -> int | None:
    if not (said.isascii() and said.isdigit()) or len(said) > len(str(_LARGEST_ID)):
        return None
    return session.exec(select(Member.id).where(Member.id == int(said))).first()


def _by_number(session: Session, said: str) -> int | None:
    return session.exec(select(Member.id).where(Member.number_key == number_key(said))).first()


def _by_address(session: Session, said: str) -> int:
    key = address.parse(said).key
    matches: sa.ColumnElement[bool] = col(Member.address_key) == key
    found = session.exec(select(Member.id).where(matches).order_by(col(Member.id))).all()
    if not found:
        raise Refused("Nobody in the register has this address.")
    if len(found) > 1:
        raise Refused("Several members have this address: name one by its id ({ids}).", ids=", ".join(map(str, found)))
    return found[0] or 0
