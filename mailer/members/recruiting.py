"""Newcomers that members brought: who invited, in which district, when. Who came is not kept.

A sign-up knows whose link it came by until it is confirmed or forgotten.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.i18n import spoken
from mailer.members.models import Recruit
from mailer.outbox.models import Stream
from mailer.outbox.single import LetterToOne, post
from subscribers import preferences
from subscribers.models import Member, SignUp, State


def inviter_of(session: Session, sign_up: SignUp) -> Member | None:
    """Return whose link brought somebody new; None when nobody's did, or nobody new came by it.

    Asked before the confirmation: after that the newcomer looks like everyone.
    """
    if sign_up.recruiter_id is None or sign_up.member_id is None:
        return None
    inviter, newcomer = session.get(Member, sign_up.recruiter_id), session.get(Member, sign_up.member_id)
    is_new = newcomer is not None and newcomer.state is State.PENDING
    if inviter is None or inviter.state is not State.ACTIVE or not is_new:
        return None
    return None if inviter.address_key == sign_up.address_key else inviter


def note(
    session: Session, inviter: Member, *, publication: str, district: str | None, settings: Settings, now: datetime
) -> None:
    """Count a newcomer, and thank whoever invited them; the letter says nothing of who it was.

    district  of the page they signed up on; without one, that of whoever invited them, if they chose just one
    """
    where = district or _only_district(session, inviter)
    recruit = Recruit(recruiter_id=inviter.id, district=where, day=now.astimezone(settings.site.zone).date())
    session.add(recruit)
    session.flush()
    letter = LetterToOne(
        key=f"recruited:{recruit.id}",
        letter="recruited",
        publication=publication,
        member_id=inviter.id or 0,
        language=spoken(inviter.language, settings.site.language),
        number=0,
        stream=Stream.BULK,  # nobody asked for it: whoever left meanwhile does not get it
        plain_only=inviter.plain_only,
    )
    post(session, letter, give_up_after=settings.outbox.give_up_after, now=now)


def _only_district(session: Session, member: Member) -> str | None:
    choices = preferences.read(session, member.id or 0)
    return next(iter(choices.districts)) if choices is not None and len(choices.districts) == 1 else None


def by_district(session: Session) -> dict[str | None, int]:
    """Return how many newcomers each district has, None: those of no district or of several."""
    rows = session.execute(sa.select(col(Recruit.district), sa.func.count()).group_by(col(Recruit.district)))
    return {row[0]: row[1] for row in rows}


def shown(counts: Mapping[str | None, int], *, least: int) -> tuple[dict[str, int], int | None]:
    """Return what may be shown of `counts`: each district with at least `least`, and the sum of these numbers.

    All are rounded down to multiples of `least`: else last week's, taken from this week's, would tell of one.
    None for the sum when a district is left out: what is left out could be found by subtraction.
    """
    named = {
        district: number // least * least
        for district, number in counts.items()
        if district is not None and number >= least
    }
    return named, sum(named.values()) if named and named.keys() == counts.keys() else None


def progress(session: Session, settings: Settings) -> dict[str, int]:
    """Return how many came to each district, as far as it is shown; nothing unless members invite."""
    if not settings.invites:
        return {}
    named, _total = shown(by_district(session), least=settings.recruiting.least)
    return named


def held(session: Session, member_id: int) -> list[dict[str, object]]:
    """Return what is held of somebody as one who invited."""
    rows = session.exec(select(Recruit).where(Recruit.recruiter_id == member_id).order_by(col(Recruit.id)))
    return [{"day": row.day, "district": row.district} for row in rows]


def forget(session: Session, member_id: int) -> None:
    """Let newcomers and sign-ups be nobody's."""
    session.execute(sa.update(Recruit).where(col(Recruit.recruiter_id) == member_id).values(recruiter_id=None))
    session.execute(sa.update(SignUp).where(col(SignUp.recruiter_id) == member_id).values(recruiter_id=None))
