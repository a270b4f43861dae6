"""What a digest holds: one function a rule, one line of RULES each. Pure; knows of no database."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from mailer.digest.items import MONTH, SERVED_THIS_MONTH, Item, Items, Occasion
from mailer.digest.reasons import (
    EVERYONE,
    Kind,
    Newcomers,
    Pick,
    Reason,
    View,
    happenings_near,
    heading_for,
    newcomers_of,
    reaching,
    reason_for,
    reason_of_place,
)
from subscribers.reader import Cadence, Reader
from subscribers.tree import steps_up

_WEEK = timedelta(weeks=1)


class Section(NamedTuple):
    heading: Reason
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What one reader gets, in order; many readers get the same.

    happenings  coming events, below the news
    newcomers   how many members brought to the reader's own districts, below these
    """

    sections: tuple[Section, ...]
    happenings: tuple[Pick, ...] = ()
    newcomers: tuple[Newcomers, ...] = ()

    @property
    def items(self) -> tuple[int, ...]:
        return tuple(pick.item for section in self.sections for pick in section.picks)


@dataclass(frozen=True, slots=True)
class Offer:
    """What an edition has for all who chose the same (districts, or everything), best first. `bits`: its stories."""

    items: Items
    view: View
    bits: int


_ORDER = {kind: place for place, kind in enumerate(Kind)}
Rule = Callable[[Items, View], Items]


def near_the_reader(items: Items, view: View) -> Items:
    """Keep what is for everyone, of the reader's districts, or of one above them."""
    return reaching(items, view.near)


def on_chosen_topics(items: Items, view: View) -> Items:
    if not view.topics:
        return items
    return [item for item in items if not item.topics or not item.topics.isdisjoint(view.topics)]


def still_fresh(items: Items, view: View) -> Items:
    """Keep what is neither too old for this reader nor dated ahead of now."""
    start, now = view.start, view.occasion.now
    return [item for item in items if start <= item.published_at <= now]


def not_hidden(items: Items, _: View) -> Items:
    return [item for item in items if not item.hidden]


def not_expired(items: Items, view: View) -> Items:
    now = view.occasion.now
    return [item for item in items if item.expires_at is None or item.expires_at > now]


def important_then_newest(items: Items, _: View) -> Items:
    """Put the editor's order first, then what is important, then the newest, then the order of the source."""
    return sorted(items, key=lambda item: item.rank)


def not_had_already(items: Items, had: int) -> Items:
    return [item for item in items if not item.bit & had]


def one_telling_per_story(items: Items, _: View) -> Items:
    """Keep the telling that ranks first: the editor's own, else the important one, else the newest."""
    tellings: dict[int, Item] = {}
    for item in items:
        tellings.setdefault(item.bit, item)
    return list(tellings.values())


def so_many_per_section(items: Items, view: View) -> Items:
    room: dict[Reason, int] = {}
    kept = []
    for item in items:
        heading = heading_for(item, view)
        taken = room.get(heading, 0)
        if taken < view.occasion.per_section:
            room[heading] = taken + 1
            kept.append(item)
    return kept


def so_many_in_all(items: Items, view: View) -> Items:
    return items[: view.occasion.at_most]


def enough_or_nothing(items: Items, view: View) -> Items:
    return items if len(items) >= view.occasion.at_least else ()


# Applied in this order; a new rule is one more line. What the occasion alone decides is asked once an edition, what
# districts decide once for all who chose the same, what the other choices decide once for all who made the same, and
# the limits for each who has had something else.
OCCASION_RULES: tuple[Rule, ...] = (not_hidden, not_expired, important_then_newest)
PLACE_RULES: tuple[Rule, ...] = (near_the_reader,)
CHOICE_RULES: tuple[Rule, ...] = (on_chosen_topics, still_fresh)
LIMIT_RULES: tuple[Rule, ...] = (one_telling_per_story, so_many_per_section, so_many_in_all, enough_or_nothing)
RULES = OCCASION_RULES + PLACE_RULES + CHOICE_RULES + LIMIT_RULES
# With one content for all there are no choices to follow and no sections to fill.
_FOR_MANY = (near_the_reader, on_chosen_topics, so_many_per_section)


def on_offer(items: Items, occasion: Occasion) -> Items:
    """Return what the edition has for anybody, best first."""
    nobody = View(occasion, frozenset(), {}, frozenset(), occasion.now)
    return _apply(OCCASION_RULES, items, nobody)


def offer_near(items: Items, districts: frozenset[str], occasion: Occasion) -> Offer:
    """Return what those who chose `districts` may have, with the reasons that lie in the place. `items`: `on_offer`."""
    view = View(occasion, districts, steps_up(districts, occasion.parents), frozenset(), occasion.now)
    view = replace(view, happenings=happenings_near(view), newcomers=newcomers_of(view))
    items = _apply(PLACE_RULES, items, view)
    view.reasons.update((item.id, reason) for item in items if (reason := reason_of_place(item, view)))
    return Offer(items, view, stories_of(items))


def offer_to(reader: Reader, near: Offer) -> Offer:
    """Return what all may have whose `signature` is this reader's, of what there is near them."""
    occasion, own, steps = near.view.occasion, near.view.own, near.view.near
    start, reasons = start_for(reader, occasion), near.view.reasons.copy()
    view = View(occasion, own, steps, reader.topics, start, reasons, near.view.happenings, near.view.newcomers)
    items = _apply(CHOICE_RULES, near.items, view)
    return Offer(items, view, stories_of(items))


def choose(offer: Offer, had: int) -> Items:
    """Return what is left for someone who has had the stories of the mask `had`; empty: nothing to send."""
    return _apply(LIMIT_RULES, not_had_already(offer.items, had), offer.view)


def plan_digest(items: Items, reader: Reader, had: int, occasion: Occasion) -> Digest | None:
    """Apply RULES in turn. None: nothing to send, or a monthly reader has had this month's.

    had   mask of the stories that the reader's household has had, and SERVED_THIS_MONTH
    """
    if is_served(reader, had):
        return None
    offer = offer_to(reader, offer_near(on_offer(items, occasion), reader.districts, occasion))
    return digest_of(choose(offer, had), offer.view)


def plan_for_all(items: Items, had: int, occasion: Occasion) -> Digest | None:
    """Choose one content for everybody. `had`: every story that anybody has had."""
    nothing: frozenset[str] = frozenset()
    reasons = {item.id: EVERYONE for item in items}
    happenings = tuple(Pick(one.id, EVERYONE) for one in occasion.happenings[: occasion.at_most_happenings])
    view = View(occasion, nothing, {}, nothing, occasion.now - occasion.fresh_for, reasons, happenings)
    rules = (rule for rule in RULES if rule not in _FOR_MANY)
    return digest_of(_apply(rules, not_had_already(items, had), view), view)


def stories_of(items: Items) -> int:
    """Return the mask of the stories that `items` tell."""
    bits = 0
    for item in items:
        bits |= item.bit
    return bits


def is_served(reader: Reader, had: int) -> bool:
    """Tell whether a monthly reader has had an edition in this month."""
    return reader.cadence is Cadence.MONTHLY and bool(had & SERVED_THIS_MONTH)


def signature(reader: Reader, occasion: Occasion) -> Hashable:
    """Return all of a reader that `plan_digest` looks at: it is asked once for each distinct signature and mask."""
    return reader.districts, reader.topics, reader.cadence, start_for(reader, occasion)


def start_for(reader: Reader, occasion: Occasion) -> datetime:
    """Return the oldest publication date that this reader is told of.

    News is fresh for `fresh_for`, for a monthly reader at least a month; it reaches no further back than
    `new_member` before the reader's first edition, and stays there in the editions that follow.
    """
    weekly, monthly, long_ago = _starts(occasion.now, occasion.fresh_for)
    start = monthly if reader.cadence is Cadence.MONTHLY else weekly
    if reader.since <= long_ago:
        return start
    editions_since = max((occasion.now - reader.since) // _WEEK, 0)
    return max(start, occasion.now - editions_since * _WEEK - occasion.new_member)


@lru_cache(maxsize=16)
def _starts(now: datetime, fresh_for: timedelta) -> tuple[datetime, datetime, datetime]:
    """Return where news begins for weekly and monthly readers, and when those joined who are told of all of it."""
    longest = max(fresh_for, MONTH)
    return now - fresh_for, now - longest, now - longest - _WEEK


def _apply(rules: Iterable[Rule], items: Items, view: View) -> Items:
    for rule in rules:
        if not items:
            break
        items = rule(items, view)
    return items


def digest_of(items: Items, view: View) -> Digest | None:
    """Lay what was chosen out in sections. None: nothing was chosen."""
    if not items:
        return None
    sections: dict[Reason, list[Pick]] = {}
    for item in items:
        sections.setdefault(heading_for(item, view), []).append(Pick(item.id, reason_for(item, view)))
    ordered = sorted(sections.items(), key=lambda section: _ORDER[section[0].kind])  # stable: best item first
    return Digest(tuple(Section(heading, tuple(picks)) for heading, picks in ordered), view.happenings, view.newcomers)
