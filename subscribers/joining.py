"""Joining by oneself: asked for on a page, confirmed from the mailbox. Until then the register stands as it was.

What the page writes down is the same whoever asks, so neither its answer nor its time tells who is in the register;
whom the confirmation goes to, and whether, is found out afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from subscribers import address as addresses
from subscribers import consent, enrolment, preferences, suppression
from subscribers.address import Address
from subscribers.models import District, Erased, Member, Scope, SignUp, State, Subscription

FORM, LINK = "form", "link"  # what the evidence names as its source
BETWEEN = timedelta(hours=1)  # two letters about one publication
LETTERS_A_DAY = 3  # to one address, whatever is asked for


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for. `shown` is the text they said yes to, `wording` its version, `page` where it stood.

    recruiter  the member whose link they came by
    """

    address: Address
    publication: str
    district: str | None
    language: str
    wording: str
    shown: str
    page: str
    recruiter: int | None = None


def ask(session: Session, wish: Wish, *, now: datetime) -> int:
    """Write a wish down and return its number, never used again."""
    sign_up = SignUp(
        address=wish.address.text,
        address_key=wish.address.key,
        publication=wish.publication,
        district=wish.district,
        language=wish.language,
        wording=wish.wording,
        shown=f"{wish.shown}\n{wish.page}",
        asked_at=now,
        recruiter_id=wish.recruiter,
    )
    session.add(sign_up)
    session.flush()
    return sign_up.id or 0


def unanswered(session: Session, *, before: datetime, most: int) -> list[int]:
    """Return the numbers of wishes from before then which nobody has answered: a crash came between."""
    query = select(SignUp.id).where(col(SignUp.member_id).is_(None), SignUp.asked_at < before)
    return [number for number in session.exec(query.order_by(col(SignUp.id)).limit(most)) if number is not None]


def admit(session: Session, number: int) -> SignUp | None:
    """Find the member whose mailbox is to confirm, or enter a new one as pending. Safe to repeat.

    returns  None when no letter is to be sent: it was, the address gets none at all, or it got some lately
    """
    sign_up = session.get(SignUp, number)
    if sign_up is None or sign_up.member_id is not None:
        return None
    scope = suppression.scope_of(session, sign_up.address_key)
    member = _member_of(session, sign_up)
    returning = scope is Scope.BULK or (member is not None and member.state is State.LEFT)
    if scope is Scope.ALL or not may_write(_asked_before(session, sign_up), sign_up, returning=returning):
        session.delete(sign_up)
        session.flush()
        return None
    sign_up.member_id = (member.id if member else None) or _enter(session, sign_up)
    session.flush()
    return sign_up


def may_write(before: Sequence[SignUp], now: SignUp, *, returning: bool) -> bool:
    """Whether one more letter may go to an address, after those `before` that still wait for a confirmation.

    returning  they left or complained: we write to them once, and not again while that letter can be used
    """
    if returning:
        return not before
    lately = [one for one in before if now.asked_at - one.asked_at < BETWEEN and one.publication == now.publication]
    today = [one for one in before if now.asked_at - one.asked_at < timedelta(days=1)]
    return not lately and len(today) < LETTERS_A_DAY


def find(session: Session, number: int, member_id: int, *, since: datetime) -> SignUp | None:
    """Return a wish that its mailbox may confirm; None when it is done, forgotten or from before `since`."""
    query = select(SignUp).where(SignUp.id == number, SignUp.member_id == member_id, SignUp.asked_at >= since)
    return session.exec(query).first()


def confirm(session: Session, sign_up: SignUp, *, now: datetime) -> int | None:
    """Let the mailbox have what was asked for: this alone brings back someone who left or complained.

    returns  the member's id; None when the member has been erased since
    """
    member = session.get_one(Member, sign_up.member_id)
    if member.id is None or member.state is State.ERASED:
        return None
    consent.give(
        session,
        member.id,
        publication=sign_up.publication,
        source=FORM,
        wording=sign_up.wording,
        evidence=sign_up.shown,
        asked_at=sign_up.asked_at,
        now=now,
    )
    enrolment.confirm(
        session, member.id, publication=sign_up.publication, source=LINK, wording=sign_up.wording, now=now
    )
    suppression.lift(session, sign_up.address_key, reason="complaint")
    session.exec(delete(Erased).where(col(Erased.key) == sign_up.address_key))  # of a leaver who was forgotten
    _choose(session, member.id, sign_up, now)
    same = (col(SignUp.address_key) == sign_up.address_key, col(SignUp.publication) == sign_up.publication)
    session.exec(delete(SignUp).where(*same))
    session.flush()
    return member.id


def forget(session: Session, *, before: datetime, most: int, now: datetime) -> int:
    """Delete wishes that were not confirmed in time, and the pending members who wait for nothing else.

    Returns how many wishes: fewer than `most` means that none is left. Their ids stay taken, as a link may name them.
    """
    query = select(SignUp).where(SignUp.asked_at < before).order_by(col(SignUp.id)).limit(most)
    over = session.exec(query).all()
    for sign_up in over:
        session.delete(sign_up)
    session.flush()
    asked = {sign_up.member_id for sign_up in over if sign_up.member_id is not None}
    for member in session.exec(_waiting_for_nothing().where(col(Member.id).in_(asked))):
        enrolment.empty(member, now)
    session.flush()
    return len(over)


def _waiting_for_nothing() -> SelectOfScalar[Member]:
    """Whom a page entered and no mailbox confirmed. An imported supporter who is pending has a subscription."""
    return select(Member).where(
        Member.state == State.PENDING,
        ~sa.exists().where(col(Subscription.member_id) == col(Member.id)),
        ~sa.exists().where(col(SignUp.member_id) == col(Member.id)),
    )


def _member_of(session: Session, sign_up: SignUp) -> Member | None:
    """Return whom of those who share the address is meant: the first who does not get it, else the first."""
    shared = select(Member).where(Member.address_key == sign_up.address_key, Member.state != State.ERASED)
    people = session.exec(shared.order_by(col(Member.id))).all()
    for person in people:
        subscription = session.get(Subscription, (person.id, sign_up.publication))
        if subscription is None or subscription.ended_at is not None:
            return person
    return people[0] if people else None


def _asked_before(session: Session, sign_up: SignUp) -> Sequence[SignUp]:
    return session.exec(
        select(SignUp).where(
            SignUp.address_key == sign_up.address_key, SignUp.id != sign_up.id, col(SignUp.member_id).is_not(None)
        )
    ).all()


def _enter(session: Session, sign_up: SignUp) -> int:
    person = enrolment.Newcomer(address=addresses.parse(sign_up.address), language=sign_up.language)
    return enrolment.add(session, person, publications=[], now=sign_up.asked_at)


def _choose(session: Session, member_id: int, sign_up: SignUp, now: datetime) -> None:
    """Add the district whose page it was; one that has gone since is left out."""
    known = session.exec(select(District.id).where(District.slug == sign_up.district)).first() is not None
    choices = preferences.read(session, member_id)
    if known and choices is not None and sign_up.district and sign_up.district not in choices.districts:
        more = replace(choices, districts=choices.districts | {sign_up.district})
        preferences.change(session, member_id, more, source=FORM, now=now)
