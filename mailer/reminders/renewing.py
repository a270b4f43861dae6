"""A letter that was stopped is brought up to what its event says now: what waits gets the new words."""

import json
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.outbox.models import Mailing, Piece, Variant, VariantEvent
from mailer.outbox.moves import move_queued
from mailer.reminders import decide
from mailer.reminders.contents import compact
from mailer.reminders.dossier import Dossier, Letter
from mailer.reminders.plan import Planner


def renew(planner: Planner, dossier: Dossier, letter: Letter, variants: Collection[int]) -> None:
    """Move what waits in `variants` to new ones. The mailing must be stopped. Safe to repeat after a crash."""
    with db.writing(planner.engine) as session:
        ref = _present(session, letter.mailing, compact(planner.piece(dossier, dossier.sequence)))
        old = session.exec(select(Variant).where(col(Variant.id).in_(variants)).order_by(col(Variant.id))).all()
        _put_off(session.get_one(Mailing, letter.mailing), decide.until(letter.step or "", dossier.details))
        renewed = {row.id or 0: _new_variant(session, row, ref, (dossier.id, dossier.sequence)) for row in old}
    move_queued(planner.engine, letter.mailing, renewed, now=planner.now)


def _put_off(mailing: Mailing, until: datetime) -> None:
    """Let the mailing be of use until then; a time that a person took away stays away."""
    for name in ("late_at", "send_by", "give_up_at"):
        if getattr(mailing, name) is not None:
            setattr(mailing, name, until)


def _present(session: Session, mailing: int, content: str) -> int:
    """Return the ref of the piece that says what is so now, a new one if there is none."""
    pieces = session.exec(select(Piece).where(Piece.mailing_id == mailing)).all()
    for piece in pieces:
        if piece.content == content:
            return piece.ref
    ref = max((piece.ref for piece in pieces), default=0) + 1
    session.add(Piece(mailing_id=mailing, ref=ref, content=content))
    return ref


def _new_variant(session: Session, old: Variant, ref: int, event: tuple[int, int]) -> int:
    content = compact(json.loads(old.content) | {"event": ref})
    values = old.model_dump(exclude={"id"}) | {"content": content}
    if there := session.scalar(sa.select(col(Variant.id)).filter_by(**values)):
        return int(there)
    new = Variant(**values)
    session.add(new)
    session.flush()
    session.add(VariantEvent(variant_id=new.id or 0, event_id=event[0], sequence=event[1]))
    return new.id or 0
