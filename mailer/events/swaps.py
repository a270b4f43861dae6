"""Two shifts exchanged in one step: one member proposes, another who has the wanted shift agrees, or nothing changes.

Neither learns who the other is. Writers take turns, as with places: what is judged here holds until it is written.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.errors import Mistake
from mailer.events import rota, shifts
from mailer.events.details import Shift
from mailer.events.models import Event, EventShift, ShiftSwap, TakenShift
from mailer.events.rota import Post
from mailer.events.rows import id_of

TELL_AGAIN = timedelta(days=1)  # those who have the wanted shift are written to about one wish no more often
MOST = 3  # wishes for one shift


class Wish(NamedTuple):
    """A member would give the shift `gives` for the shift `gets`, by their ids: proposes that, or agrees to it."""

    member: int
    gives: int
    gets: int


class Asked(NamedTuple):
    """Who is to be told of a wish, and the two shifts as the one who proposes sees them."""

    members: tuple[int, ...]
    gives: Shift
    gets: Shift


class Swapped(NamedTuple):
    """Who had proposed, what they gave, and what they have got."""

    member: int
    gave: Shift
    got: Shift


def wishes(session: Session, event_id: int) -> list[Wish]:
    """Return the wishes that hold, the first first."""
    key: Any = (ShiftSwap.member_id, ShiftSwap.shift_id, ShiftSwap.wanted_id)
    still = sa.and_(
        col(TakenShift.shift_id) == col(ShiftSwap.shift_id),
        col(TakenShift.member_id) == col(ShiftSwap.member_id),
        col(TakenShift.taken_at) <= col(ShiftSwap.proposed_at),
    )
    query = sa.select(*key).join(TakenShift, still).join(EventShift, col(EventShift.id) == col(ShiftSwap.shift_id))
    held = query.where(col(EventShift.event_id) == event_id, col(ShiftSwap.withdrawn).is_(False))
    return [Wish(*row) for row in session.execute(held.order_by(col(ShiftSwap.proposed_at), *key))]


def on_offer(there: Sequence[Post], wished: Sequence[Wish], member: int, mine: Post, now: datetime) -> list[Post]:
    """Return the shifts that a member would get for `mine` by agreeing. Pure"""
    own, asking = _own(there, member), [one for one in wished if one.gets == mine.id and one.member != member]
    return [
        post
        for post in there
        if rota.can_swap(mine, post, member, own, now=now)
        and any(
            rota.can_swap(post, mine, one.member, _own(there, one.member), now=now)
            for one in asking
            if one.gives == post.id
        )
    ]


def to_wish_for(there: Sequence[Post], member: int, mine: Post, now: datetime) -> list[Post]:
    """Return the shifts that a member may wish for instead of `mine`: full ones, as others can just be taken. Pure"""
    own = _own(there, member)
    full = (post for post in there if post.holders and not post.open_to(member))
    return [post for post in full if rota.can_swap(mine, post, member, own, now=now)]


def propose(session: Session, event: Event, wish: Wish, *, now: datetime) -> Asked:
    """Write a wish down. raises Mistake, and nothing is changed"""
    there = shifts.open_posts(session, event)
    mine, wanted = shifts.one_of(there, wish.gives), shifts.one_of(there, wish.gets)
    rota.require_swap(mine, wanted, wish.member, _own(there, wish.member), now=now)
    if wanted.open_to(wish.member):
        raise Mistake("There is room in that shift: leave yours, and take it.")
    others = {one.gets for one in wishes(session, id_of(event)) if one[:2] == wish[:2]} - {wish.gets}
    if len(others) >= MOST:
        raise Mistake("You have proposed {most} swaps of that shift: withdraw them first.", most=MOST)
    if not _write(session, wish, now):
        return Asked((), mine.shift, wanted.shift)
    can = (one for one in sorted(wanted.holders) if rota.can_swap(wanted, mine, one, _own(there, one), now=now))
    return Asked(tuple(can), mine.shift, wanted.shift)


def _write(session: Session, wish: Wish, now: datetime) -> bool:
    """Write a wish down; return whether those who can fulfil it are to be told."""
    row = session.get(ShiftSwap, (wish.gives, wish.member, wish.gets))
    tell = row is None or row.told_at <= now - TELL_AGAIN
    if row is None:
        row = ShiftSwap(shift_id=wish.gives, member_id=wish.member, wanted_id=wish.gets, proposed_at=now, told_at=now)
    row.proposed_at, row.withdrawn = now, False
    row.told_at = now if tell else row.told_at
    session.add(row)
    session.flush()
    return tell


def withdraw(session: Session, event: Event, shift_id: int, member_id: int, *, now: datetime) -> None:
    """Wish for nothing else instead of that shift. raises Mistake when it is not the member's, or has begun"""
    shifts.require_own(session, event, shift_id, member_id, now)
    theirs = sa.and_(col(ShiftSwap.shift_id) == shift_id, col(ShiftSwap.member_id) == member_id)
    session.execute(sa.update(ShiftSwap).where(theirs).values(withdrawn=True))


def agree(session: Session, event: Event, swap: Wish, *, now: datetime) -> Swapped:
    """Give a member's shift to the first who wished for it, and theirs to the member; both at once.

    raises  Mistake, and nothing is changed
    """
    there = shifts.open_posts(session, event)
    mine, theirs = shifts.one_of(there, swap.gives), shifts.one_of(there, swap.gets)
    rota.require_swap(mine, theirs, swap.member, _own(there, swap.member), now=now)
    for wish in wishes(session, id_of(event)):
        fits = (wish.gives, wish.gets) == (theirs.id, mine.id) and wish.member != swap.member
        if fits and rota.can_swap(theirs, mine, wish.member, _own(there, wish.member), now=now):
            _exchange(session, event, (mine, swap.member), (theirs, wish.member), now)
            return Swapped(wish.member, theirs.shift, mine.shift)
    raise Mistake("That swap is there no longer: somebody else agreed to it, or it was withdrawn.")


def _exchange(session: Session, event: Event, one: tuple[Post, int], other: tuple[Post, int], now: datetime) -> None:
    for post, member in (one, other):
        session.delete(session.get_one(TakenShift, (post.id, member)))
        gone = sa.and_(col(ShiftSwap.shift_id) == post.id, col(ShiftSwap.member_id) == member)
        session.execute(sa.delete(ShiftSwap).where(gone))
    session.flush()
    shifts.hold(session, event, other[0], one[1], now=now)
    shifts.hold(session, event, one[0], other[1], now=now)


def _own(there: Sequence[Post], member: int) -> list[Post]:
    return [post for post in there if member in post.holders]
