"""Whoever signed up is asked by letter to confirm."""

import math
from datetime import datetime

from sqlmodel import Session

from mailer.config import Settings
from mailer.outbox.single import LetterToOne, post
from subscribers import joining


def answer(session: Session, number: int, settings: Settings, now: datetime) -> None:
    """Post the letter that asks the mailbox of a sign-up to confirm, where one may go. Safe to repeat."""
    sign_up = joining.admit(session, number)
    if sign_up is None or sign_up.member_id is None:
        return
    keep = settings.retention.sign_ups
    letter = LetterToOne(
        key=f"join:{number}",
        letter="join",
        publication=sign_up.publication,
        member_id=sign_up.member_id,
        language=sign_up.language,
        content={"days": max(math.floor(keep.total_seconds() / 86400), 1)},
        number=number,
    )
    post(session, letter, give_up_after=min(keep, settings.outbox.give_up_after), now=now)
