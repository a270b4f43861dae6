"""What a stopped edition says otherwise than its news items do now, and whom that concerns. Nothing is written."""

import json
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.digest.contents import Json, Refs, mentions, replaced
from mailer.digest.gather import piece
from mailer.digest.numbered import corrections_of
from mailer.errors import Mistake
from mailer.links import Links
from mailer.news.models import NewsItem
from mailer.outbox import archive, batches, kept
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
from mailer.sentences import Word

_MENDABLE = (MailingState.PAUSED, MailingState.DONE, MailingState.HELD)


@dataclass(frozen=True, slots=True)
class Outdated:
    """A variant with old words. `content` is as it should read now, None when nothing of it is left.

    shows    the outdated refs that stand in it
    got      who got it, and no correction with the present words: pairs laid flat, (member, household or 0)
    waiting  how many members wait for it
    """

    variant: int
    language: str
    plain_only: bool
    content: Json | None
    shows: frozenset[int]
    stories: tuple[int, ...]
    events: tuple[tuple[int, int], ...]
    got: "array[int]"
    waiting: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a correction would come to.

    pieces    what the edition is put together from, by ref, with what is new
    added     the new ones among them
    archived  the outdated variants that the archive shows
    """

    refs: Refs
    pieces: Mapping[int, Json]
    added: Mapping[int, Json]
    outdated: Sequence[Outdated]
    archived: frozenset[int]

    @property
    def got(self) -> int:
        """How many members got the old words."""
        return sum(len(old.got) // 2 for old in self.outdated)

    @property
    def waiting(self) -> int:
        """How many members wait for a letter with them."""
        return sum(old.waiting for old in self.outdated)

    @property
    def says(self) -> str:
        """What is new, for whoever approves it."""
        return json.dumps([sorted(self.refs.items()), sorted(self.added.items())], sort_keys=True)


def survey(session: Session, settings: Settings, links: Links, mailing: Mailing) -> Survey:
    """Find what is outdated in a stopped edition.

    raises  Mistake  when the edition still runs, a worker has letters of it in hand, or what it says has changed for
                     nobody: who got it, who waits for it, or who reads it in the archive
    """
    _require_stopped(mailing)
    _require_out_of_hands(session, mailing)
    pieces = _pieces(session, mailing)
    refs, added = _renewed(session, pieces, settings, links)
    outdated = _outdated(session, mailing, refs)
    archived = archive.shown(session, mailing.id or 0) & {old.variant for old in outdated}
    found = Survey(refs, pieces | added, added, outdated, archived)
    if not found.got and not found.waiting and not archived:
        raise Mistake(
            "Nothing that {key} says has changed: mend it with `utskick news edit`, "
            "or go on as it is with `utskick outbox resume {key}`.",
            key=mailing.key,
        )
    return found


def require_mendable(mailing: Mailing) -> None:
    """raises Mistake for an edition that has not begun, or was cancelled"""
    if mailing.state not in _MENDABLE or mailing.plan is None:
        raise Mistake(
            "The edition {key} is {state}: there is nothing to correct.", key=mailing.key, state=Word(mailing.state)
        )


def _require_stopped(mailing: Mailing) -> None:
    if mailing.state is MailingState.PLANNED:
        raise Mistake(
            "The edition {key} is being sent: stop it with `utskick editions correct {key}` first.", key=mailing.key
        )
    require_mendable(mailing)


def _require_out_of_hands(session: Session, mailing: Mailing) -> None:
    """A letter that is just being handed over has the old words, and its reader must be told: its outcome comes first.

    What a dead worker had is settled by the next one.
    """
    if batches.is_leased(session.connection(), mailing.id or 0):
        raise Mistake(
            "A worker still has letters of {key} in hand: try again in a moment, while a worker runs.", key=mailing.key
        )


def _pieces(session: Session, mailing: Mailing) -> dict[int, Json]:
    rows = session.exec(select(Piece).where(Piece.mailing_id == mailing.id).order_by(col(Piece.ref)))
    return {row.ref: json.loads(row.content) for row in rows}


def _renewed(
    session: Session, pieces: dict[int, Json], settings: Settings, links: Links
) -> tuple[Refs, dict[int, Json]]:
    """Return which refs are outdated and by what, and the pieces that are not there yet.

    Events are not mended here: who was told another time or place is told by a letter about that event.
    """
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
    told = [(row, content) for row in variants if mentions(content := json.loads(row.content), refs)]
    got, waiting = _readers(session, mailing, {row.id or 0 for row, _ in told}, _told_since(session, mailing, refs))
    return [
        Outdated(
            row.id or 0,
            row.language,
            row.plain_only,
            replaced(content, refs),
            frozenset(ref for ref in refs if mentions(content, {ref})),
            *_tells(session, row.id or 0),
            got.get(row.id or 0, array("q")),
            waiting[row.id or 0],
        )
        for row, content in told
    ]


def _tells(session: Session, variant: int) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return the stories that a variant tells, and its events with their revisions."""
    stories = select(VariantStory.story_id).where(VariantStory.variant_id == variant)
    events = select(VariantEvent.event_id, VariantEvent.sequence).where(VariantEvent.variant_id == variant)
    return (
        tuple(session.exec(stories.order_by(col(VariantStory.story_id)))),
        tuple((event, told) for event, told in session.exec(events.order_by(col(VariantEvent.event_id)))),
    )


def _readers(
    session: Session, mailing: Mailing, variants: set[int], told: set[int]
) -> tuple[dict[int, "array[int]"], Counter[int]]:
    """Return who got each of these variants, as in Outdated, and how many wait for it."""
    got: dict[int, array[int]] = {}
    waiting: Counter[int] = Counter()
    query = sa.select(
        col(Delivery.variant_id), col(Delivery.member_id), col(Delivery.household), col(Delivery.state)
    ).where(col(Delivery.mailing_id) == mailing.id, col(Delivery.state).in_(HAD))
    for variant, member, household, state in session.execute(query.order_by(col(Delivery.id))):
        if variant not in variants or member in told:
            continue
        if state is DeliveryState.QUEUED:
            waiting[variant] += 1
        else:
            got.setdefault(variant, array("q")).extend((member, household or 0))
    return got, waiting


def _told_since(session: Session, mailing: Mailing, refs: Refs) -> set[int]:
    """Return who has had the present words in an earlier correction: its pieces carry the same numbers."""
    variants = session.exec(
        select(Variant)
        .join(Mailing, col(Mailing.id) == col(Variant.mailing_id))
        .where(corrections_of(mailing), Variant.content != kept.FORGOTTEN)
    )
    up_to_date = [row.id for row in variants if not mentions(json.loads(row.content), refs)]
    told = select(Delivery.member_id).join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
    had = col(Delivery.variant_id).in_(up_to_date) & col(Delivery.state).in_(HAD)
    # What was taken back is cancelled little by little: what still waits of it is told to nobody.
    ended = (col(Delivery.state) == DeliveryState.QUEUED) & (col(Mailing.state) == MailingState.CANCELLED)
    return set(session.exec(told.where(corrections_of(mailing), had, ~ended)))
