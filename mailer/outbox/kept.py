"""What was sent, for as long as it is kept: a variant to look at again, and forgetting those that are too old."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.outbox.manifest import FrozenContent, Occasion, contents, occasion
from mailer.outbox.models import Archived, Mailing, MailingState, Piece, Variant

FORGOTTEN = ""  # the content of a variant that is not kept any more; its row stays, as what its readers have had
NOWHERE = '{"number": 0}'  # the content of a letter to one whose link is not known any more
_OVER = (MailingState.DONE, MailingState.CANCELLED)


def find(session: Session, mailing: int, variant: int) -> tuple[Occasion, FrozenContent] | None:
    """Return a letter as it was frozen; None when it is not kept any more. raises LookupError for one never sent"""
    row = session.execute(
        sa.select(col(Variant.content))
        .join(Mailing, col(Mailing.id) == col(Variant.mailing_id))
        .where(col(Variant.id) == variant, col(Mailing.id) == mailing, col(Mailing.started_at).is_not(None))
    ).first()
    if row is None:
        raise LookupError("no letter of this number was sent")
    if row.content == FORGOTTEN:
        return None
    connection = session.connection()
    return occasion(connection, mailing), contents(connection, [variant])[variant]


def too_old(before: datetime) -> sa.Select[int | None]:
    """Return the query for variants of mailings that ended before `before`, and that no archive shows."""
    archived = sa.exists().where(col(Archived.variant_id) == col(Variant.id))
    mine = sa.and_(col(Variant.mailing_id).in_(_ended(before)), col(Variant.content) != FORGOTTEN)
    return sa.select(col(Variant.id)).where(mine, ~archived).order_by(col(Variant.id))


def _ended(before: datetime) -> sa.Select[int | None]:
    ended = sa.or_(col(Mailing.done_at) < before, col(Mailing.done_at).is_(None) & (col(Mailing.created_at) < before))
    return sa.select(col(Mailing.id)).where(col(Mailing.state).in_(_OVER), ended)


def forget(session: Session, *, before: datetime, most: int) -> int:
    """Forget what those variants said, `most` at once. Returns how many it were."""
    ids = session.scalars(too_old(before).limit(most)).all()
    session.execute(sa.update(Variant).where(col(Variant.id).in_(ids)).values(content=FORGOTTEN))
    return len(ids)


def pieces_too_old(before: datetime) -> sa.Select[int | None]:
    """Return the query for pieces of mailings that ended before `before`, and of which the archive shows nothing."""
    return sa.select(col(Piece.ref)).where(_is_old_piece(before))


def forget_pieces(session: Session, *, before: datetime, most: int) -> int:
    """Forget what variants were put together from, `most` at once. Returns how many it were."""
    keys = (col(Piece.mailing_id), col(Piece.ref))
    some = sa.select(*keys).where(_is_old_piece(before)).limit(most)
    return session.connection().execute(sa.delete(Piece).where(sa.tuple_(*keys).in_(some))).rowcount


def _is_old_piece(before: datetime) -> sa.ColumnElement[bool]:
    shown = sa.exists().where(col(Archived.mailing_id) == col(Piece.mailing_id))
    return sa.and_(col(Piece.mailing_id).in_(_ended(before)), ~shown)


def letters_too_old(letters: Collection[str], before: datetime) -> sa.Select[int | None]:
    """Return the query for letters to one of these kinds, over and sent before `before`, that are still known."""
    known = sa.and_(col(Mailing.letter).in_(letters), col(Mailing.content) != NOWHERE)
    old = sa.and_(known, col(Mailing.state).in_(_OVER), col(Mailing.created_at) < before)
    return sa.select(col(Mailing.id)).where(old)


def forget_letters(session: Session, letters: Collection[str], *, before: datetime, most: int) -> int:
    """Forget what those letters said and where they led, `most` at once. Returns how many it were."""
    ids = session.scalars(letters_too_old(letters, before).limit(most)).all()
    session.execute(sa.update(Variant).where(col(Variant.mailing_id).in_(ids)).values(content=FORGOTTEN))
    session.execute(sa.update(Mailing).where(col(Mailing.id).in_(ids)).values(content=NOWHERE))
    return len(ids)
