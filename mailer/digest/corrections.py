"""Mending an edition that is under way: stop, fix, continue, and a correction to those who got the old words.

What was sent stays as it was sent: a corrected item is a new Piece, and the deliveries that still wait move to new
Variants which refer to it. The correction is a Mailing of its own ("weekly:2026-W47:correction-1"), planned from
the deliveries that were sent or may have been.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.config import Settings
from mailer.digest.contents import Json, Refs, compact, mentions, replaced, shown_pieces, title_of
from mailer.digest.gather import piece
from mailer.digest.models import Edition
from mailer.errors import Mistake
from mailer.links import Links
from mailer.news.models import NewsItem
from mailer.outbox import archive, kept
from mailer.outbox.enqueue import Content, Plan, Readership, begin, open_mailing, write_plan
from mailer.outbox.history import HAD
from mailer.outbox.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    Piece,
    Variant,
    VariantEvent,
    VariantStory,
)
from mailer.outbox.moves import move_queued
from mailer.sentences import N_, Word

MARK = ":correction-"  # between the key of an edition and the number of its correction
_ARRIVED = (DeliveryState.SENT, DeliveryState.UNCERTAIN)
_MENDABLE = (MailingState.PAUSED, MailingState.DONE, MailingState.HELD)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of it. `key` is None when nobody had got the old words yet."""

    moved: int
    key: str | None
    candidates: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a correction would come to: for how many members, who got the old words or wait; `says`: what is new."""

    people: int
    says: str


@dataclass(frozen=True, slots=True)
class Outdated:
    """A variant with old words. `content` is as it should read now, None when nothing of it is left."""

    variant: int
    language: str
    plain_only: bool
    content: Json | None
    stories: tuple[int, ...]
    events: tuple[tuple[int, int], ...]


def stop(session: Session, mailing: Mailing) -> None:
    """Stop the sending so that it can be mended. raises Mistake when it has not begun or was cancelled"""
    if mailing.state is MailingState.PLANNED:
        mailing.state, mailing.reason = MailingState.PAUSED, N_("It is being corrected.")
    else:
        _require_mendable(mailing)
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

    raises  Mistake  when the edition still runs, or nothing it says has changed
    """
    with db.writing(engine) as session:
        mailing = session.get_one(Mailing, edition.mailing_id)
        _require_stopped(mailing)
        refs = _renew_pieces(session, mailing, settings, links)
        outdated = _outdated(session, mailing, refs)
        renewed = {old.variant: _new_variant(session, mailing, old) for old in outdated if old.content}
        shown = archive.put_right(session, mailing.id or 0, _retitled(session, mailing, outdated, renewed), now)
        plan = _correction(session, mailing, outdated, refs, note)
        key = next_key(session, mailing) if plan.readerships else None
        session.expunge(mailing)
    moved = move_queued(engine, mailing.id or 0, {old.variant: renewed.get(old.variant) for old in outdated}, now=now)
    if not moved and not shown and key is None:
        raise _nothing_changed(mailing)
    candidates = _send(engine, settings, mailing, key, plan, now) if key else 0
    with db.writing(engine) as session:
        go_on = sa.update(Mailing).where(col(Mailing.id) == mailing.id, col(Mailing.state) == MailingState.PAUSED)
        session.execute(go_on.values(state=MailingState.PLANNED, reason=""))
    return Corrected(moved=moved, key=key, candidates=candidates)


def look(session: Session, settings: Settings, links: Links, mailing: Mailing) -> Change:
    """Say what correcting a stopped edition would come to; nothing is written.

    raises  Mistake  when the edition still runs, or nothing it says has changed
    """
    _require_stopped(mailing)
    refs, added = _renewed(session, mailing, settings, links)
    outdated = {old.variant for old in _outdated(session, mailing, refs)}
    told = _told_since(session, mailing, refs)
    had = sa.select(col(Delivery.variant_id), col(Delivery.member_id)).where(
        col(Delivery.mailing_id) == mailing.id, col(Delivery.state).in_(HAD)
    )
    people = sum(variant in outdated and member not in told for variant, member in session.execute(had))
    if not people:
        raise _nothing_changed(mailing)
    return Change(people, json.dumps([sorted(refs.items()), sorted(added.items())], sort_keys=True))


def _nothing_changed(mailing: Mailing) -> Mistake:
    return Mistake(
        "Nothing that {key} says has changed: mend it with `utskick news edit`, "
        "or go on as it is with `utskick outbox resume {key}`.",
        key=mailing.key,
    )


def _require_stopped(mailing: Mailing) -> None:
    if mailing.state is MailingState.PLANNED:
        raise Mistake(
            "The edition {key} is being sent: stop it with `utskick editions correct {key}` first.", key=mailing.key
        )
    _require_mendable(mailing)


def _require_mendable(mailing: Mailing) -> None:
    if mailing.state not in _MENDABLE or mailing.plan is None:
        raise Mistake(
            "The edition {key} is {state}: there is nothing to correct.", key=mailing.key, state=Word(mailing.state)
        )


def _pieces(session: Session, mailing: Mailing) -> dict[int, Json]:
    rows = session.exec(select(Piece).where(Piece.mailing_id == mailing.id).order_by(col(Piece.ref)))
    return {row.ref: json.loads(row.content) for row in rows}


def _renew_pieces(session: Session, mailing: Mailing, settings: Settings, links: Links) -> Refs:
    """Freeze what changed items say now. Returns which refs are outdated, and by what."""
    refs, added = _renewed(session, mailing, settings, links)
    session.add_all(Piece(mailing_id=mailing.id or 0, ref=ref, content=compact(says)) for ref, says in added.items())
    session.flush()
    return refs


def _renewed(session: Session, mailing: Mailing, settings: Settings, links: Links) -> tuple[Refs, dict[int, Json]]:
    """Return which refs are outdated and by what, and the pieces that are not there yet.

    Events are not mended here: who was told another time or place is told by a letter about that event.
    """
    pieces = _pieces(session, mailing)
    items = {ref: was for ref, was in pieces.items() if "item" in was}
    found = session.exec(select(NewsItem).where(col(NewsItem.id).in_({was["item"] for was in items.values()})))
    present = {row.id: piece(row, settings, links) for row in found if not row.hidden}
    refs: dict[int, int | None] = {}
    added: dict[int, Json] = {}
    for ref, was in items.items():
        says = present.get(was["item"])
        if says is None or _words(says) != _words(was):
            same = [other for other, old in pieces.items() if old == says]
            refs[ref] = None if says is None else same[0] if same else max(pieces) + 1
            if says is not None and not same:
                added[max(pieces) + 1] = says
                pieces = pieces | added
    return refs, added


def _words(piece: Json) -> Json:
    """Return what an item says, wherever our own pages stand: a move is no mistake to correct."""
    own = str(piece["url"]).endswith(f"/n/{piece['item']}")
    image = piece["image"] and piece["image"] | {"url": piece["image"]["url"].rpartition("/")[2]}
    return piece | {"url": None if own else piece["url"], "source_name": None, "image": image}


def _outdated(session: Session, mailing: Mailing, refs: Refs) -> list[Outdated]:
    variants = session.exec(
        select(Variant)
        .where(Variant.mailing_id == mailing.id, Variant.plan == mailing.plan, Variant.content != kept.FORGOTTEN)
        .order_by(col(Variant.id))
    )
    return [
        Outdated(row.id, row.language, row.plain_only, replaced(content, refs), *_tells(session, row.id))
        for row in variants
        if row.id and mentions(content := json.loads(row.content), refs)
    ]


def _tells(session: Session, variant: int) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return the stories that a variant tells, and its events with their revisions."""
    stories = select(VariantStory.story_id).where(VariantStory.variant_id == variant)
    events = select(VariantEvent.event_id, VariantEvent.sequence).where(VariantEvent.variant_id == variant)
    return (
        tuple(session.exec(stories.order_by(col(VariantStory.story_id)))),
        tuple((event, told) for event, told in session.exec(events.order_by(col(VariantEvent.event_id)))),
    )


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


def _retitled(
    session: Session, mailing: Mailing, outdated: Sequence[Outdated], renewed: Mapping[int, int]
) -> dict[int, tuple[int, str] | None]:
    """Return what the archive is to show in place of each outdated variant, and under what title."""
    subject, pieces = json.loads(mailing.content)["subject"], _pieces(session, mailing)
    return {
        old.variant: (renewed[old.variant], title_of(subject, shown_pieces(old.content, pieces)))
        if old.content
        else None
        for old in outdated
    }


def _correction(session: Session, mailing: Mailing, outdated: Sequence[Outdated], refs: Refs, note: str) -> Plan:
    """Return the plan of the letter to those who got the old words and no correction with the present ones."""
    by_variant = {old.variant: old for old in outdated}
    told = _told_since(session, mailing, refs)
    members: dict[int, array[int]] = {old.variant: array("q") for old in outdated}
    got = sa.select(col(Delivery.variant_id), col(Delivery.member_id), col(Delivery.household)).where(
        col(Delivery.mailing_id) == mailing.id, col(Delivery.state).in_(_ARRIVED)
    )
    for variant, member, household in session.execute(got.order_by(col(Delivery.id))):
        if variant in by_variant and member not in told:
            members[variant].extend((member, household or 0))
    return Plan(
        content=compact(json.loads(mailing.content) | {"correction": note}),
        pieces=tuple(compact(says) for says in _pieces(session, mailing).values()),
        readerships=[Readership(_content(by_variant[variant]), flat) for variant, flat in members.items() if flat],
    )


def _content(old: Outdated) -> Content:
    content = compact(old.content or {"sections": [], "letterhead": None})
    return Content(old.language, old.plain_only, content, old.stories, old.events if old.content else ())


def _told_since(session: Session, mailing: Mailing, refs: Refs) -> set[int]:
    """Return who has had the present words in an earlier correction: its pieces carry the same numbers."""
    variants = session.exec(
        select(Variant)
        .join(Mailing, col(Mailing.id) == col(Variant.mailing_id))
        .where(_corrections(mailing), Variant.content != kept.FORGOTTEN)
    )
    up_to_date = [row.id for row in variants if not mentions(json.loads(row.content), refs)]
    told = select(Delivery.member_id).join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
    had = col(Delivery.variant_id).in_(up_to_date) & col(Delivery.state).in_(HAD)
    return set(session.exec(told.where(_corrections(mailing), had)))


def _corrections(mailing: Mailing) -> sa.ColumnElement[bool]:
    valid = col(Mailing.plan).is_not(None)
    return col(Mailing.key).startswith(f"{mailing.key}{MARK}", autoescape=True) & valid


def next_key(session: Session, mailing: Mailing) -> str:
    before = session.exec(select(sa.func.count(col(Mailing.id))).where(_corrections(mailing))).one()
    return f"{mailing.key}{MARK}{before + 1}"


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
