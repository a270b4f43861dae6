"""A member's first letter: from whom, why, how to choose and how to leave. Once ever: the member is the key of a row.

An import of a whole register welcomes nobody by itself; a person says so, or config for a few at a time.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.config import Settings
from mailer.i18n import spoken
from mailer.members.models import Welcome
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Lane, Mailing, MailingState, Variant
from subscribers import bulk
from subscribers.models import Member, State, Subscription

AT_ONCE = 500  # members a transaction: one batch of the post office
RECENTLY = timedelta(days=30)  # an imported member who has been here longer knows us
_A_FEW = 20
_PLAN = 1  # there is only ever this one


def want(session: Session, member_id: int, *, publication: str, now: datetime) -> bool:
    """Note that somebody is to be welcomed. Returns False when they were before, whenever that was."""
    if session.get(Welcome, member_id) is not None:
        return False
    session.add(Welcome(member_id=member_id, publication=publication, asked_at=now))
    session.flush()
    return True


def unwelcomed(session: Session, publication: str, *, since: datetime | None = None) -> int:
    """Count who gets a publication and was never welcomed; `since` then in the register."""
    return session.scalar(sa.select(sa.func.count()).select_from(_unwelcomed(publication, since).subquery())) or 0


def want_all(session: Session, publication: str, *, now: datetime, since: datetime | None = None) -> int:
    """Note AT_ONCE of them at most; returns how many, fewer when none is left."""
    ids = session.scalars(_unwelcomed(publication, since).limit(AT_ONCE)).all()
    bulk.insert(session.connection(), Welcome, {"member_id": ids}, {"publication": publication, "asked_at": now})
    return len(ids)


def post(session: Session, settings: Settings, now: datetime) -> int:
    """Post the letters of AT_ONCE members at most who wait for one, as one mailing; returns how many."""
    first = session.scalars(sa.select(Welcome).where(col(Welcome.mailing_id).is_(None)).limit(1)).first()
    if first is None:
        return 0
    publication = first.publication
    waiting = sa.and_(col(Welcome.mailing_id).is_(None), col(Welcome.publication) == publication)
    people = sa.select(col(Member.id), col(Member.language), col(Member.plain_only), col(Member.ground))
    people = people.join(Welcome, col(Welcome.member_id) == col(Member.id)).where(waiting)
    chosen = session.execute(people.order_by(col(Member.id)).limit(AT_ONCE)).all()
    mailing = _open(session, settings, publication, chosen, now)
    _address(session, mailing, chosen, settings, now)
    theirs = col(Welcome.member_id).in_([row.id for row in chosen])
    session.execute(sa.update(Welcome).where(theirs).values(mailing_id=mailing))
    return len(chosen)


def _unwelcomed(publication: str, since: datetime | None) -> sa.Select[int | None]:
    query = (
        sa.select(col(Member.id))
        .join(Subscription, col(Subscription.member_id) == col(Member.id))
        .where(
            col(Subscription.publication) == publication,
            col(Subscription.ended_at).is_(None),
            col(Member.state) == State.ACTIVE,
            col(Member.address_key).is_not(None),
            ~sa.exists().where(col(Welcome.member_id) == col(Member.id)),
        )
        .order_by(col(Member.id))
    )
    return query if since is None else query.where(col(Member.created_at) >= since)


def _open(session: Session, settings: Settings, publication: str, chosen: Sequence[Any], now: datetime) -> int:
    mailing = open_mailing(
        session,
        Mailing(
            key=f"welcome:{chosen[0].id}:{now:%Y%m%dT%H%M%S%f}",
            publication=publication,
            letter="welcome",
            state=MailingState.PLANNED,
            plan=_PLAN,
            planning=_PLAN,
            candidates=len(chosen),
            created_at=now,
            give_up_at=now + settings.outbox.give_up_after,
        ),
    )
    assert mailing is not None  # noqa: S101  # the rows that wait for it were read in this transaction
    return mailing


def _address(session: Session, mailing: int, chosen: Sequence[Any], settings: Settings, now: datetime) -> None:
    """Write a variant per language, form and ground, and the deliveries in their order."""
    variants: dict[tuple[str, bool, str], list[int]] = {}
    for row in chosen:
        language = spoken(row.language, settings.site.language)
        variants.setdefault((language, row.plain_only, row.ground), []).append(row.id)
    mine, connection = {"mailing_id": mailing, "plan": _PLAN}, session.connection()
    numbers = bulk.reserve(connection, Variant, len(variants))
    columns = {
        "id": numbers,
        "language": [language for language, _, _ in variants],
        "plain_only": [plain for _, plain, _ in variants],
        "content": [json.dumps({"ground": str(ground)}) for _, _, ground in variants],
    }
    bulk.insert(connection, Variant, columns, mine)
    pairs = [(variant, who) for variant, people in zip(numbers, variants.values(), strict=True) for who in people]
    ids = bulk.reserve(connection, Delivery, len(pairs))
    rows = {"id": ids, "member_id": [who for _, who in pairs], "variant_id": [variant for variant, _ in pairs]}
    bulk.insert(connection, Delivery, rows, mine | {"state": DeliveryState.QUEUED, "attempts": 0})
    batch = {"lo": [ids[0]], "hi": [ids[-1]]}
    bulk.insert(
        connection, Batch, batch, mine | {"state": BatchState.OPEN, "lane": Lane.ONE, "due_at": now, "fence": 0}
    )


def held(session: Session, member_id: int) -> list[dict[str, object]]:
    """Return what is held of somebody as one who was welcomed, or is about to be."""
    row = session.get(Welcome, member_id)
    return [{"at": row.asked_at, "publication": row.publication}] if row else []


def forget(session: Session, member_id: int) -> None:
    session.execute(sa.delete(Welcome).where(col(Welcome.member_id) == member_id))
