"""Mending an edition that is under way: stop, fix, continue, and a correction to those who got the old words.

What was sent stays as it was sent: a corrected item is a new Piece, and the deliveries that still wait move to new
Variants which refer to it. The correction is a Mailing of its own ("weekly:2026-W47:correction-1"), planned from
the deliveries that were sent or may have been.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.config import Settings
from mailer.digest.contents import Json, compact, shown_pieces, title_of
from mailer.digest.models import Edition
from mailer.digest.numbered import next_key
from mailer.digest.outdated import Outdated, Survey, require_mendable, survey
from mailer.links import Links
from mailer.outbox import archive
from mailer.outbox.enqueue import Content, Plan, Readership, begin, open_mailing, write_plan
from mailer.outbox.models import Mailing, MailingState, Piece, Variant, VariantEvent, VariantStory
from mailer.outbox.moves import move_queued
from mailer.sentences import N_

NOTHING_LEFT: Json = {"sections": [], "letterhead": None}


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of it. `key` is None when nobody had got the old words yet.

    shown  how many shelves of the archive have other words now
    """

    moved: int
    key: str | None
    candidates: int
    shown: int = 0


def stop(session: Session, mailing: Mailing) -> None:
    """Stop the sending so that it can be mended. raises Mistake when it has not begun or was cancelled"""
    if mailing.state is MailingState.PLANNED:
        mailing.state, mailing.reason = MailingState.PAUSED, N_("It is being corrected.")
    else:
        require_mendable(mailing)
    session.flush()


def correct(
    engine: sa.Engine,
    settings: Settings,
    links: Links,
    edition: Edition,
    *,
    note: str,
    now: datetime,
) -> Corrected:
    """Bring a stopped edition up to what its news items say now, go on with it, and send `note` to who had the old.

    For `[approval] undo` nothing of that letter leaves, and it can be cancelled.

    Safe to repeat: whoever has had the present words, in the edition or a correction, is left alone.

    raises  Mistake  as mailer.digest.outdated.survey
    """
    with db.writing(engine) as session:
        mailing = session.get_one(Mailing, edition.mailing_id)
        found = survey(session, settings, links, mailing)
        rows = [Piece(mailing_id=mailing.id or 0, ref=ref, content=compact(says)) for ref, says in found.added.items()]
        session.add_all(rows)
        session.flush()
        renewed = {old.variant: _new_variant(session, mailing, old) for old in found.outdated if old.content}
        shown = archive.put_right(session, mailing.id or 0, _retitled(mailing, found, renewed), now)
        key = next_key(session, mailing) if found.got else None
        session.expunge(mailing)
    targets = {old.variant: renewed.get(old.variant) for old in found.outdated}
    moved = move_queued(engine, mailing.id or 0, targets, now=now)
    candidates = _send(engine, settings, mailing, key, _plan(mailing, found, note), now) if key else 0
    with db.writing(engine) as session:
        go_on = sa.update(Mailing).where(col(Mailing.id) == mailing.id, col(Mailing.state) == MailingState.PAUSED)
        session.execute(go_on.values(state=MailingState.PLANNED, reason=""))
    return Corrected(moved=moved, key=key, candidates=candidates, shown=shown)


def _new_variant(session: Session, mailing: Mailing, old: Outdated) -> int:
    """Insert the variant as it should read, or find the one that an interrupted correction left."""
    new = Variant(
        mailing_id=mailing.id or 0,
        plan=mailing.plan or 0,
        language=old.language,
        plain_only=old.plain_only,
        content=compact(old.content or {}),
    )
    same = select(Variant.id).filter_by(**new.model_dump(exclude={"id"}))
    if there := session.exec(same).first():
        return there
    session.add(new)
    session.flush()
    session.add_all(VariantStory(variant_id=new.id or 0, story_id=story) for story in old.stories)
    session.add_all(VariantEvent(variant_id=new.id or 0, event_id=event, sequence=told) for event, told in old.events)
    session.flush()
    return new.id or 0


def _retitled(mailing: Mailing, found: Survey, renewed: Mapping[int, int]) -> dict[int, tuple[int, str] | None]:
    """Return what the archive is to show in place of each outdated variant, and under what title."""
    subject = json.loads(mailing.content)["subject"]
    return {
        old.variant: (renewed[old.variant], title_of(subject, shown_pieces(old.content, found.pieces)))
        if old.content
        else None
        for old in found.outdated
    }


def mailing_content(mailing: Mailing, note: str) -> Json:
    """Return what all letters of a correction share: what those of the edition do, and the note."""
    shared: Json = json.loads(mailing.content)
    return shared | {"correction": note}


def _plan(mailing: Mailing, found: Survey, note: str) -> Plan:
    """Return the plan of the letter to those who got the old words and no correction with the present ones."""
    return Plan(
        content=compact(mailing_content(mailing, note)),
        pieces=tuple(compact(says) for says in found.pieces.values()),
        readerships=[Readership(_content(old), old.got) for old in found.outdated if old.got],
    )


def _content(old: Outdated) -> Content:
    content = compact(old.content or NOTHING_LEFT)
    return Content(old.language, old.plain_only, content, old.stories, old.events if old.content else ())


def _send(engine: sa.Engine, settings: Settings, corrected: Mailing, key: str, plan: Plan, now: datetime) -> int:
    """Open the correction's own mailing, or take up the one that waited for approval or was interrupted; plan it."""
    begins = now + settings.approval.undo
    with db.writing(engine) as session:
        open_mailing(
            session,
            Mailing(key=key, publication=corrected.publication, letter=corrected.letter, created_at=now),
        )
        mailing = session.exec(select(Mailing).where(Mailing.key == key)).one()
        mailing.state, mailing.reason, mailing.send_at = MailingState.APPROVED, "", begins
        mailing.late_at = begins + settings.digest.grace
        mailing.give_up_at = begins + settings.outbox.give_up_after
        number = mailing.id
    return write_plan(begin(engine, number or 0), plan, now=begins)
