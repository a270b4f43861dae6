"""Leaving by what a mail program sends for its reader: the one-click POST, or a mail to the address beside it.

Both come from a header that belongs to the whole letter, so both speak for everyone whom it greeted.
"""

import re
from datetime import datetime
from email.message import Message

from sqlmodel import Session, col, or_, select

from mailer.links import Claim, Purpose, Tokens
from mailer.outbox.models import Delivery, Mailing
from subscribers import consent
from subscribers.models import Member, State

ONE_CLICK, BY_MAIL = "one-click", "mail"  # what the evidence of consent names as its source
_TOKEN = re.compile(r"(?<![\w-])[A-Za-z0-9][\w-]{22}(?![\w-])", re.ASCII)
_LOOKED_AT = 500  # characters of a header: a token stands at its beginning
_TRIED = 5


def withdraw(session: Session, claim: Claim, *, source: str, now: datetime) -> bool:
    """Leave the publication of the letter that `claim` came in, for its household. Returns whether anything changed.

    A letter that we no longer know is left by leaving everything: that it stops is what was asked for.
    """
    publication = session.exec(select(Mailing.publication).where(Mailing.id == claim.mailing)).first()
    changed = False
    for member in household(session, claim):
        changed |= consent.withdraw(session, member, publication=publication, source=source, now=now)
    return changed


def by_mail(session: Session, message: Message, tokens: Tokens, *, now: datetime) -> bool:
    """Do what a mail to the unsubscribe address asks for. Returns whether it was such a mail, done now or before."""
    claim = claim_in(message, tokens)
    if claim is None:
        return False
    withdraw(session, claim, source=BY_MAIL, now=now)
    return True


def claim_in(message: Message, tokens: Tokens) -> Claim | None:
    """Return whose unsubscribing a parsed mail asks for, without the database; None when it asks for none.

    The token stands in the subject, as List-Unsubscribe has it, or in the address after a +. Nothing else in a mail
    is believed, least of all its sender. A bounce and an answering machine quote us and wish for nothing
    (RFC 3834 §2); what a mail program made for its reader is `auto-generated` at most, and counts.
    """
    if _is_answer(message):
        return None
    for name in ("Subject", "Delivered-To", "X-Original-To", "To"):
        for candidate in _TOKEN.findall(str(message.get(name, ""))[:_LOOKED_AT].replace("+", " "))[:_TRIED]:
            claim = tokens.read(candidate, Purpose.UNSUBSCRIBE)
            if claim is not None:
                return claim
    return None


def _is_answer(message: Message) -> bool:
    automatic = str(message.get("Auto-Submitted", "")).strip().lower()
    return (
        automatic.startswith("auto-replied")
        or message.get_content_type() == "multipart/report"
        or str(message.get("Return-Path", "")).strip() == "<>"
    )


def household(session: Session, claim: Claim) -> list[int]:
    """Return everyone whom the mail greeted that the link came in: they share its one unsubscribe header.

    Erased members are left out: nothing of them may be written down again.
    """
    head = (
        select(Delivery.household)
        .where(Delivery.mailing_id == claim.mailing, Delivery.member_id == claim.member)
        .scalar_subquery()
    )
    greeted = select(Delivery.member_id).where(Delivery.mailing_id == claim.mailing, Delivery.household == head)
    members = select(col(Member.id)).where(
        or_(col(Member.id) == claim.member, col(Member.id).in_(greeted)), Member.state != State.ERASED
    )
    return [member for member in session.exec(members.order_by(col(Member.id))) if member is not None]
