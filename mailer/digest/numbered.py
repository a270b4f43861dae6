"""What corrections of an edition are called, "weekly:2026-W47:correction-1", and which there are."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.outbox.models import Mailing

_MARK = ":correction-"  # between the key of an edition and the number of its correction


def is_correction(key: str) -> bool:
    return _MARK in key


def edition_of(key: str) -> str:
    """Return the key of the edition that a correction mends."""
    return key.partition(_MARK)[0]


def next_key(session: Session, mailing: Mailing) -> str:
    before = session.exec(select(sa.func.count(col(Mailing.id))).where(corrections_of(mailing))).one()
    return f"{mailing.key}{_MARK}{before + 1}"


def corrections_of(mailing: Mailing) -> sa.ColumnElement[bool]:
    """Return what holds for the corrections of an edition whose letters were written down, also those taken back."""
    valid = col(Mailing.plan).is_not(None)
    return col(Mailing.key).startswith(f"{mailing.key}{_MARK}", autoescape=True) & valid
