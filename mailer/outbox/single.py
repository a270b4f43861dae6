"""A letter to one: put into the books whole, in the transaction of whatever it is about, and sent before all others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.links import hour_of
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import (
    Batch,
    Delivery,
    DeliveryState,
    Lane,
    Mailing,
    MailingState,
    Stream,
    Variant,
)
from subscribers.address import Address

NUMBER = "number"
INVITED = "invited"  # in a letter's content: {"method": "REQUEST" | "CANCEL", "text": an iCalendar object} or nothing
_PLAN = 1  # there is only ever this one


@dataclass(frozen=True, slots=True)
class LetterToOne:
    """What somebody is to be told, once.

    key          at most 100 characters; names the occasion ("welcome:17"), and no person. Of one key one letter is sent
    letter       folder of templates/email
    publication  in whose name, see config.toml
    content      JSON; the template's own variables. It is stored unsealed, so it names nobody
    number       what its link carries beside the member; None: the hour of posting, so that the page can tell its age
    stream       ASKED: its reader waits for it, and it is sent once more when it is uncertain
    address      where it goes when not to the member's own address; stored sealed
    """

    key: str
    letter: str
    publication: str
    member_id: int
    language: str
    content: Mapping[str, object] = field(default_factory=dict)
    number: int | None = None
    stream: Stream = Stream.ASKED
    address: Address | None = None
    plain_only: bool = False


def post(session: Session, letter: LetterToOne, *, give_up_after: timedelta, now: datetime) -> int | None:
    """Queue `letter` and return its mailing; None, and nothing queued, when there is one of that key.

    It is valid with the caller's transaction: what it tells and the letter are kept together, or neither is.
    Each takes one of the 16 million mailing numbers: what goes to a whole register at once is one Mailing.
    """
    mailing = open_mailing(session, _mailing(letter, now + give_up_after, now))
    if mailing is None:
        return None
    variant = Variant(
        mailing_id=mailing, plan=_PLAN, language=letter.language, plain_only=letter.plain_only, content=_json(letter)
    )
    session.add(variant)
    session.flush()
    delivery = Delivery(mailing_id=mailing, plan=_PLAN, member_id=letter.member_id, variant_id=variant.id or 0)
    session.add(delivery)
    session.flush()
    number = delivery.id or 0
    session.add(Batch(mailing_id=mailing, plan=_PLAN, lo=number, hi=number, lane=Lane.ONE, due_at=now))
    session.flush()
    return mailing


def withdraw(session: Session, member_id: int, *, now: datetime) -> None:
    """Forget where letters to one of this member went, and cancel those that wait: the member is being erased."""
    theirs = sa.select(col(Delivery.mailing_id)).where(
        col(Delivery.member_id) == member_id,
        col(Delivery.mailing_id).in_(sa.select(col(Mailing.id)).where(col(Mailing.stream) == Stream.ASKED)),
    )
    waiting = sa.and_(
        col(Delivery.mailing_id).in_(theirs),
        col(Delivery.member_id) == member_id,
        col(Delivery.state) == DeliveryState.QUEUED,
    )
    session.execute(sa.update(Mailing).where(col(Mailing.id).in_(theirs)).values(address=None))
    session.execute(
        sa.update(Delivery).where(waiting).values(state=DeliveryState.CANCELLED, code="erased", settled_at=now)
    )


def is_to_one() -> sa.ColumnElement[bool]:
    """Whether a mailing is a letter to one, or a few that go like one: a welcome, thanks."""
    return sa.exists().where(col(Batch.mailing_id) == col(Mailing.id), col(Batch.lane) == Lane.ONE)


def as_written(_mailing: object, _pieces: object, content: dict[str, object], _language: str) -> dict[str, object]:
    """Expand a letter to one: its content is what its templates read."""
    return content


def _mailing(letter: LetterToOne, give_up_at: datetime, now: datetime) -> Mailing:
    number = hour_of(now) if letter.number is None else letter.number
    return Mailing(
        key=letter.key,
        publication=letter.publication,
        letter=letter.letter,
        state=MailingState.PLANNED,
        plan=_PLAN,
        planning=_PLAN,
        candidates=1,
        content=json.dumps({NUMBER: number}),
        stream=letter.stream,
        repeats=letter.stream is Stream.ASKED,
        address=letter.address.text if letter.address else None,
        created_at=now,
        give_up_at=give_up_at,
    )


def _json(letter: LetterToOne) -> str:
    return json.dumps(letter.content, ensure_ascii=False, separators=(",", ":"))
