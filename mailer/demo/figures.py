"""What the demo did, per district and in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from mailer.news.models import NewsTag, TagKind
from mailer.outbox.models import Delivery
from subscribers.models import District, MemberDistrict


@dataclass(frozen=True, slots=True)
class Row:
    """One district: members who chose it and got a mail, items tagged with it, distinct contents among them.

    reminders  members who got the reminder of the rally, too
    """

    district: str
    members: int
    items: int
    variants: int
    reminders: int


def per_district(session: Session, mailing_id: int, reminder_id: int) -> Sequence[Row]:
    """Return the districts that have members with a delivery of this mailing, by name."""
    items = (
        select(func.count())
        .select_from(NewsTag)
        .where(
            NewsTag.kind == TagKind.DISTRICT, col(NewsTag.slug) == col(District.slug), col(NewsTag.removed).is_(False)
        )
        .correlate(District)
        .scalar_subquery()
    )
    reminded = sa.select(col(Delivery.member_id)).where(col(Delivery.mailing_id) == reminder_id)
    query = (
        sa.select(
            col(District.name),
            func.count(sa.distinct(col(Delivery.member_id))),
            items,
            func.count(sa.distinct(col(Delivery.variant_id))),
            func.count(sa.distinct(sa.case((col(Delivery.member_id).in_(reminded), col(Delivery.member_id))))),
        )
        .join(MemberDistrict, col(MemberDistrict.district_id) == col(District.id))
        .join(Delivery, col(Delivery.member_id) == col(MemberDistrict.member_id))
        .where(col(Delivery.mailing_id) == mailing_id)
        .group_by(col(District.id), col(District.name), col(District.slug))
        .order_by(col(District.name))
    )
    return [Row(*row) for row in session.connection().execute(query)]
