"""How long campaigns are kept: their texts as long as letters are, what was approved in words for years."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.campaigns.models import Campaign, CampaignRecord
from mailer.outbox.models import Mailing, MailingState

_OVER = (MailingState.DONE, MailingState.CANCELLED)


def texts_too_old(before: datetime) -> sa.Select[int | None]:
    """Return a query for the campaigns that ended before `before`, and still have their text."""
    ended = sa.or_(col(Mailing.done_at) < before, col(Mailing.done_at).is_(None) & (col(Mailing.created_at) < before))
    over = sa.select(col(Mailing.id)).where(col(Mailing.state).in_(_OVER), ended)
    mine = sa.and_(col(Campaign.source).is_not(None), col(Campaign.mailing_id).in_(over))
    return sa.select(col(Campaign.id)).where(mine).order_by(col(Campaign.id))


def forget_texts(session: Session, *, before: datetime, most: int) -> int:
    """Forget what campaigns said, `most` at once; that there were such stays known. Returns how many it were."""
    ids = session.scalars(texts_too_old(before).limit(most)).all()
    session.execute(sa.update(Campaign).where(col(Campaign.id).in_(ids)).values(source=None))
    return len(ids)


def records_too_old(before: datetime) -> sa.Select[int | None]:
    old = col(CampaignRecord.approved_at) < before
    return sa.select(col(CampaignRecord.id)).where(old).order_by(col(CampaignRecord.id))


def forget_records(session: Session, *, before: datetime, most: int) -> int:
    ids = session.scalars(records_too_old(before).limit(most)).all()
    session.execute(sa.delete(CampaignRecord).where(col(CampaignRecord.id).in_(ids)))
    return len(ids)
