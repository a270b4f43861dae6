"""What a provider's request told goes into the book, once. The caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import leaving
from mailer.feedback import book
from mailer.feedback.events import Event
from mailer.feedback.hooks.calls import Heard, Told
from mailer.feedback.models import HookCall
from mailer.links import Claim, Purpose, Tokens
from mailer.message.masking import mask_addresses
from mailer.outbox.models import Delivery, Mailing

LATELY = timedelta(days=14)
REMEMBERED = timedelta(days=30)  # longer than any provider asks again, and any proof is good


def mails_of(session: Session, provider: str, heard: Heard, tokens: Tokens, *, now: datetime) -> list[Claim | None]:
    """Return for each event which mail it is about, None where it is none of ours. Reads only.

    Only two things are believed: a token that we made, and the receipt of a delivery, which is looked for where a
    provider kept no token. No index has it (sending would pay for that), so recent mailings are read through.
    """
    return [_by_token(told, tokens) or _by_receipt(session, provider, told, now) for told in heard.told]


def _by_token(told: Told, tokens: Tokens) -> Claim | None:
    return tokens.read(told.token.strip().removeprefix("<").partition("@")[0], Purpose.MESSAGE)


def _by_receipt(session: Session, provider: str, told: Told, now: datetime) -> Claim | None:
    if not told.receipt or told.token:
        return None
    mailings = select(Mailing.id).where(col(Mailing.started_at) > now - LATELY)
    row = session.exec(
        select(Delivery.household, Delivery.member_id, Delivery.mailing_id)
        .where(
            col(Delivery.mailing_id).in_(mailings), Delivery.provider == provider, Delivery.answer == told.receipt[:500]
        )
        .order_by(col(Delivery.id))
    ).first()
    return None if row is None else Claim(Purpose.MESSAGE, row[0] or row[1], row[2])


def take_in(session: Session, provider: str, heard: Heard, mails: Sequence[Claim | None], *, now: datetime) -> bool:
    """Keep what a request tells and act on it; False when there is nothing to keep, or it came before.

    A request that came before means nothing, whatever it says now: some proofs do not cover what is told.
    """
    if not heard.told and not heard.strange:
        return False
    words = "" if all(mails) else "about no mail of ours"
    row = {
        "key": f"{provider}:{heard.name}"[:128],
        "provider": provider,
        "received_at": now,
        "words": mask_addresses(heard.strange[:200]) or words,
    }
    statement = book.insert_of(session, HookCall).values(**row).on_conflict_do_nothing(index_elements=["key"])
    if session.scalar(statement.returning(col(HookCall.key))) is None:
        return False
    for told, mail in zip(heard.told, mails, strict=True):
        if mail is not None:
            _take(session, provider, told, mail, now)
    return True


def _take(session: Session, provider: str, told: Told, mail: Claim, now: datetime) -> None:
    if told.kind is None:
        leaving.withdraw(session, mail, source=provider, now=now)
        return
    event = Event(
        key=f"{provider}:{told.name}",
        kind=told.kind,
        source=provider,
        member=mail.member,
        mailing=mail.mailing,
        at=min(told.at or now, now),
        cause=told.cause,
        status=told.status,
        reply=told.reply,
        words=told.words,
    )
    book.take_in(session, event, now=now)


def forget(session: Session, *, now: datetime) -> None:
    """Drop what was kept of requests that cannot come again."""
    session.connection().execute(sa.delete(HookCall).where(col(HookCall.received_at) < now - REMEMBERED))
