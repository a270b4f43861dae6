"""What came of a campaign, by subject: who got it, who unsubscribed since, who answered its event. Nobody is followed.

That somebody opened a letter or followed a link is not known. What is known anyhow is counted: withdrawn consents and
answers of those who got it, from its first letter on.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.campaigns import book
from mailer.campaigns.comparing import Deed, Group
from mailer.campaigns.content import subject_of
from mailer.campaigns.models import Campaign
from mailer.errors import Mistake
from mailer.events.attendance import Answer
from mailer.events.models import Rsvp
from mailer.outbox.models import Delivery, DeliveryState, Mailing, Variant
from subscribers.models import Consent, ConsentKind

LOOKS_FOR = timedelta(days=14)  # what somebody does later has other reasons
_ANSWERS = {Answer.YES: Deed.YES, Answer.MAYBE: Deed.MAYBE, Answer.NO: Deed.NO}


def groups(session: Session, campaign: Campaign, language: str) -> list[Group]:
    """Return a group for each subject, in their order, called by its words in `language` where it has any.

    raises  Mistake  before it is sent, and when it is forgotten
    """
    mailing = book.mailing_of(session, campaign)
    if mailing.started_at is None:
        raise Mistake("Nothing of {name} has been sent yet.", name=campaign.name)
    variants = _variants(session, mailing, language)
    if not variants:
        raise Mistake("What {name} said is not kept any more.", name=campaign.name)
    event = json.loads(mailing.content)["event"]
    return [
        Group(
            subject=subject,
            members=_count(session, _got(mailing, ids)),
            did=_did(session, mailing, mailing.started_at, ids, event and event[0]),
        )
        for _number, (subject, ids) in sorted(variants.items())
    ]


def _variants(session: Session, mailing: Mailing, language: str) -> Mapping[int, tuple[str, list[int]]]:
    """Return subject number -> (its words, ids of the variants that bear it)."""
    found: dict[int, tuple[str, list[int]]] = {}
    rows = sa.select(col(Variant.id), col(Variant.content)).where(
        col(Variant.mailing_id) == mailing.id, col(Variant.plan) == mailing.plan, col(Variant.content) != ""
    )
    for number, stored in session.execute(rows.order_by(col(Variant.language) != language, col(Variant.id))):
        content = json.loads(stored)
        words = subject_of(content["subject"])
        found.setdefault(content["number"], (words, []))[1].append(number)
    return found


def _got(mailing: Mailing, variants: Iterable[int]) -> sa.Select[int]:
    """Return a query for the members who got one of `variants`."""
    return sa.select(col(Delivery.member_id)).where(
        col(Delivery.mailing_id) == mailing.id,
        col(Delivery.variant_id).in_(variants),
        col(Delivery.state) == DeliveryState.SENT,
    )


def _did(
    session: Session, mailing: Mailing, since: datetime, variants: list[int], event: int | None
) -> dict[Deed, int]:
    got = _got(mailing, variants)
    left = (
        sa.select(col(Consent.member_id))
        .distinct()
        .where(
            col(Consent.kind) == ConsentKind.WITHDRAWN,
            col(Consent.at).between(since, since + LOOKS_FOR),
            sa.or_(col(Consent.publication).is_(None), col(Consent.publication) == mailing.publication),
            col(Consent.member_id).in_(got),
        )
    )
    did = {Deed.UNSUBSCRIBED: _count(session, left)}
    if event is not None:
        theirs = sa.and_(
            col(Rsvp.event_id) == event,
            col(Rsvp.answered_at).between(since, since + LOOKS_FOR),
            col(Rsvp.member_id).in_(got),
        )
        for answer, deed in _ANSWERS.items():
            did[deed] = _count(session, sa.select(col(Rsvp.member_id)).where(theirs, col(Rsvp.answer) == answer))
    return did


def _count(session: Session, query: sa.Select[int]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
