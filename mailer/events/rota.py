"""Who may take which shift, and what becomes of shifts when an event is said otherwise. Pure.

A shift that is offered is its holder's until another takes it: then it changes hands whole, and at no moment has it
one too many or one too few.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailer.errors import Mistake
from mailer.events.details import Shift


@dataclass(frozen=True, slots=True)
class Post:
    """A shift with those who have it. `offering`: those of them who would let another have it, the first first."""

    id: int
    shift: Shift
    holders: frozenset[int] = frozenset()
    offering: tuple[int, ...] = ()

    @property
    def free(self) -> int:
        return max(self.shift.needs - len(self.holders), 0)

    def open_to(self, member: int) -> bool:
        return member not in self.holders and bool(self.free or self.offering)


def require_to_come(post: Post, now: datetime) -> None:
    """raises Mistake when it has begun: who has it then stands there"""
    if post.shift.starts_at <= now:
        raise Mistake("That shift has begun.")


def taken_from(post: Post, member: int, own: Iterable[Post], *, now: datetime) -> int | None:
    """Return whose place a member gets who takes a shift; None: a free one. raises Mistake when they cannot take it

    own     the shifts that the member has already
    """
    require_to_come(post, now)
    if member in post.holders:
        raise Mistake("You have that shift already.")
    if any(_overlap(post.shift, other.shift) for other in own):
        raise Mistake("You have another shift at that time: leave that one first, or offer it.")
    if post.offering:  # before free places: whoever offers cannot come
        return post.offering[0]
    if not post.free:
        raise Mistake("Somebody was faster: that shift is full.")
    return None


def require_swap(gives: Post, gets: Post, member: int, own: Iterable[Post], *, now: datetime) -> None:
    """raises Mistake when a member cannot have `gets` instead of `gives`; `own`: all shifts that they have"""
    for post in (gives, gets):
        require_to_come(post, now)
    if member not in gives.holders:
        raise Mistake("You do not have that shift, or not any more.")
    if member in gets.holders:
        raise Mistake("You have that shift already.")
    if any(_overlap(gets.shift, other.shift) for other in own if other.id != gives.id):
        raise Mistake("You have another shift at that time: leave that one first, or offer it.")


def can_swap(gives: Post, gets: Post, member: int, own: Iterable[Post], *, now: datetime) -> bool:
    """Say whether they can."""
    try:
        require_swap(gives, gets, member, own, now=now)
    except Mistake:
        return False
    return True


def _overlap(one: Shift, other: Shift) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Shifts after an event was said otherwise: what each known one (by id) is now, which are new, and which gone."""

    kept: dict[int, Shift]
    new: tuple[Shift, ...]
    gone: frozenset[int]


def redraw(known: Collection[tuple[int, Shift]], said: Sequence[Shift]) -> Redrawn:
    """Match what is said with what is known: the same first, then what was moved, which people keep.

    Moved is a shift at the same place within a day, or at the same hours, when that leaves no doubt.
    """
    left, missing, kept = list(known), list(said), {}
    for alike in (_same, _same_place, _same_hours):
        for number, old in tuple(left):
            fitting = [new for new in missing if alike(old, new)]
            rivals = [other for _, other in left if any(alike(other, new) for new in fitting)]
            if not fitting or (alike is not _same and (len(fitting) > 1 or len(rivals) > 1)):
                continue
            kept[number] = fitting[0]
            missing.remove(fitting[0])
            left.remove((number, old))
    return Redrawn(kept, tuple(missing), frozenset(number for number, _ in left))


def _same(old: Shift, new: Shift) -> bool:
    return (old.starts_at, old.ends_at, old.place) == (new.starts_at, new.ends_at, new.place)


def _same_place(old: Shift, new: Shift) -> bool:
    return old.place == new.place and abs(old.starts_at - new.starts_at) < timedelta(hours=24)


def _same_hours(old: Shift, new: Shift) -> bool:
    return (old.starts_at, old.ends_at) == (new.starts_at, new.ends_at)
