"""Where a member stands who opened one of our links: what they get, what they left lately. No name, no address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select
from starlette.exceptions import HTTPException

from mailer.links import Claim
from mailer.outbox.models import Mailing
from subscribers.models import Cadence, Consent, ConsentKind, Member, State, Subscription

UNDO = timedelta(days=1)  # later a returning member asks anew: by then the link may have been passed on
_LISTED = frozenset({State.ACTIVE, State.PENDING})


@dataclass(frozen=True, slots=True)
class Taken:
    """A publication that the member gets."""

    cadence: Cadence
    paused_until: date | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Leaving:
    """The member's last word, when it was a no that can still be taken back. `publication` None: they left all."""

    publication: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """`publication` is that of the mail the link came in, None when we no longer know it."""

    member_id: int
    state: State
    language: str
    publication: str | None
    taken: Mapping[str, Taken]
    leaving: Leaving | None

    @property
    def listed(self) -> bool:
        """Whether the member is one whom we write to, or soon may."""
        return self.state in _LISTED

    @property
    def here(self) -> Taken | None:
        """What the member has of the publication that the link came in."""
        return self.taken.get(self.publication) if self.publication else None


def find_standing(session: Session, claim: Claim, now: datetime) -> Standing:
    """raises HTTPException 404 when there is no such member, as for a token that was made up."""
    member = session.exec(select(Member.state, Member.language).where(Member.id == claim.member)).first()
    if member is None:
        raise HTTPException(404)
    state, language = member
    return Standing(
        member_id=claim.member,
        state=State(state),
        language=language,
        publication=session.exec(select(Mailing.publication).where(Mailing.id == claim.mailing)).first(),
        taken=_taken(session, claim.member) if state in _LISTED else {},
        leaving=_leaving(session, claim.member, now),
    )


def _taken(session: Session, member: int) -> dict[str, Taken]:
    query = select(Subscription).where(Subscription.member_id == member, col(Subscription.ended_at).is_(None))
    return {row.publication: Taken(row.cadence, row.paused_until, row.since) for row in session.exec(query)}


def _leaving(session: Session, member: int, now: datetime) -> Leaving | None:
    query = select(Consent.kind, Consent.publication, Consent.at).where(Consent.member_id == member)
    last = session.exec(query.order_by(col(Consent.id).desc()).limit(1)).first()
    if last is None:
        return None
    kind, publication, at = last
    return Leaving(publication, at) if kind is ConsentKind.WITHDRAWN and now - at <= UNDO else None
