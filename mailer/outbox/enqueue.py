"""Mailings into the books: opened once under their key, and a whole plan written in short transactions.

A plan's rows mean nothing until one small update names its number (`Mailing.plan`). A program that dies before
that leaves rows which the next plan sweeps. Two planners at once: the later takes a higher number, and the
earlier finds itself overtaken before it can write another row.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import accumulate, chain, groupby

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col

from mailer import db
from mailer.collector import uncollected
from mailer.errors import Trouble
from mailer.outbox import home
from mailer.outbox.models import (
    Archived,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    Piece,
    Variant,
    VariantEvent,
    VariantStory,
)
from mailer.sentences import N_, Progress, quiet
from subscribers import bulk

BATCH = 1_000  # at most: what is asked and written once for each batch took a tenth of a letter's time at half of that
_SMALLEST_BATCH = 50
_SHARES = 20  # of a smaller mailing: what one worker does not have on its desk the others are to have
ROWS_A_TRANSACTION = 1_000  # about 30 ms on a busy slow core: no writer waits 200 ms for us
# Deliveries come in variant order, so each transaction writes most pages of the index over (mailing, member) anew: a
# thousand rows take 10 to 20 ms of a core and four thousand some 20.
_DELIVERIES_A_TRANSACTION = 4_000

Addressed = tuple[int, int, int | None]  # variant, member, household


class Overtaken(Trouble):
    """Another program began to plan the same mailing, or it may no longer be planned: this plan ends here."""

    def __init__(self) -> None:
        super().__init__(
            N_("The mailing was planned by another program, or stopped, in the meantime: look at its status.")
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What makes a Variant. `content` is JSON, `stories` the ids of what it tells, `events` (id, revision) the same."""

    language: str
    plain_only: bool
    content: str
    stories: tuple[int, ...] = ()
    events: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the archive shows a Content, and under what title; `district` "" is for none in particular.

    language  of whoever looks there; "": the content's own
    """

    district: str
    title: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Readership:
    """A Content and who gets it: pairs laid flat, (member, household or 0), a household's members side by side.

    One that nobody gets is planned for the archive alone.
    """

    content: Content
    members: Sequence[int]
    shelves: Sequence[Shelf] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A mailing as decided. `content` is JSON that all variants share, `pieces` the JSON of refs 1, 2, ...

    issue  what the archive's addresses call it, at most 32 letters, digits and hyphens; "": it has no shelves
    """

    content: str
    pieces: tuple[str, ...]
    readerships: Sequence[Readership]
    issue: str = ""


def open_mailing(session: Session, mailing: Mailing) -> int | None:
    """Insert `mailing` and return its id; None when there is one of that key: the loser of a race does nothing.

    After a restore one whose time had come before is late from the beginning: it may have been sent and forgotten.
    """
    if home.may_have_been_sent(session, mailing.send_at):
        mailing.late_at = mailing.send_at
    values = mailing.model_dump(exclude={"id"})
    dialect = session.connection().dialect.name
    insert = import_module(f"sqlalchemy.dialects.{dialect}").insert  # SQLAlchemy's own has no ON CONFLICT
    unless_known = insert(Mailing).values(**values).on_conflict_do_nothing(index_elements=["key"])
    number: int | None = session.scalar(unless_known.returning(col(Mailing.id)))
    return number


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to write one plan, until someone takes a higher number."""

    engine: sa.Engine
    mailing_id: int
    number: int

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One short transaction, refused when the plan was overtaken. The row stays locked until it ends.

        The disk is not waited for: none of it counts before `settling`, and with that it is there.
        """
        with db.writing_provisionally(self.engine) as session:
            yield self._fenced(session)

    @contextmanager
    def settling(self) -> Iterator[sa.Connection]:
        """As `writing`, and what is written is there for good: also all that was written before."""
        with db.writing_beside(self.engine) as session:
            yield self._fenced(session)

    def _fenced(self, session: Session) -> sa.Connection:
        fence = sa.select(col(Mailing.planning), col(Mailing.state)).where(col(Mailing.id) == self.mailing_id)
        planning, state = session.execute(fence.with_for_update()).one()
        if planning != self.number or state is not MailingState.APPROVED:
            raise Overtaken
        return session.connection()


def begin(engine: sa.Engine, mailing_id: int) -> Ticket:
    """Take the right to plan an approved mailing: from now on nobody with an older ticket can write.

    Taken before anything is read, so that a change made meanwhile overtakes the plan that did not see it.

    raises  Overtaken  when the mailing is not approved, or has its plan
    """
    claim = (
        sa.update(Mailing)
        .where(col(Mailing.id) == mailing_id, col(Mailing.state) == MailingState.APPROVED, col(Mailing.plan).is_(None))
        .values(planning=col(Mailing.planning) + 1)
        .returning(col(Mailing.planning))
    )
    with db.writing_beside(engine) as session:
        number = session.scalar(claim)
    if number is None:
        raise Overtaken
    return Ticket(engine, mailing_id, number)


@uncollected()
def write_plan(ticket: Ticket, plan: Plan, *, now: datetime, progress: Progress = quiet) -> int:
    """Write `plan` and make it valid. Returns how many deliveries it has.

    raises  Overtaken  when someone else plans the mailing, or it is not approved any more
    """
    sweep(ticket)
    write_pieces(ticket, plan.pieces)
    variants = write_variants(ticket, [readership.content for readership in plan.readerships])
    write_shelves(ticket, plan, variants)
    candidates = 0
    size = batch_size(sum(len(readership.members) // 2 for readership in plan.readerships))
    for batches in chunks(addressed(plan.readerships, variants), size):
        candidates += write_batches(ticket, batches, now=now)
        progress("Writing letters down", candidates, None)
    make_valid(ticket, content=plan.content, candidates=candidates, now=now)
    return candidates


def sweep(ticket: Ticket) -> None:
    """Take away what an earlier plan of this mailing left: none of it was ever valid."""
    variants = sa.select(col(Variant.id)).where(col(Variant.mailing_id) == ticket.mailing_id)
    leftovers: tuple[tuple[type[SQLModel], tuple[str, ...], sa.ColumnElement[bool]], ...] = (
        (Batch, ("id",), col(Batch.mailing_id) == ticket.mailing_id),
        (Delivery, ("id",), col(Delivery.mailing_id) == ticket.mailing_id),
        (VariantStory, ("variant_id", "story_id"), col(VariantStory.variant_id).in_(variants)),
        (VariantEvent, ("variant_id", "event_id"), col(VariantEvent.variant_id).in_(variants)),
        (Archived, ("id",), col(Archived.mailing_id) == ticket.mailing_id),
        (Variant, ("id",), col(Variant.mailing_id) == ticket.mailing_id),
        (Piece, ("mailing_id", "ref"), col(Piece.mailing_id) == ticket.mailing_id),
    )
    for table, key, mine in leftovers:
        columns = sa.tuple_(*(sa.column(name) for name in key))
        some = sa.select(*(getattr(table, name) for name in key)).where(mine).limit(ROWS_A_TRANSACTION)
        while True:
            with ticket.writing() as connection:
                if not connection.execute(sa.delete(table).where(columns.in_(some))).rowcount:
                    break


def write_pieces(ticket: Ticket, pieces: Sequence[str]) -> None:
    with ticket.writing() as connection:
        rows = {"ref": range(1, len(pieces) + 1), "content": pieces}
        bulk.insert(connection, Piece, rows, {"mailing_id": ticket.mailing_id})


def write_variants(ticket: Ticket, contents: Sequence[Content]) -> list[int]:
    """Insert a Variant for each of `contents`. Returns their ids, in the same order."""
    ids: list[int] = []
    for some in _weighed(contents):
        with ticket.writing() as connection:
            numbers = bulk.reserve(connection, Variant, len(some))
            rows = {
                "id": numbers,
                "language": [it.language for it in some],
                "plain_only": [it.plain_only for it in some],
                "content": [it.content for it in some],
            }
            bulk.insert(connection, Variant, rows, {"mailing_id": ticket.mailing_id, "plan": ticket.number})
            told = [(number, story) for number, it in zip(numbers, some, strict=True) for story in it.stories]
            stories = {"variant_id": [variant for variant, _ in told], "story_id": [story for _, story in told]}
            bulk.insert(connection, VariantStory, stories)
            shown = [(number, *event) for number, it in zip(numbers, some, strict=True) for event in it.events]
            columns = dict(zip(("variant_id", "event_id", "sequence"), zip(*shown, strict=True), strict=bool(shown)))
            bulk.insert(connection, VariantEvent, columns)
        ids.extend(numbers)
    return ids


def write_shelves(ticket: Ticket, plan: Plan, variants: Sequence[int]) -> None:
    """Say which variant the archive shows of this mailing, for each place and language."""
    shelved = [
        (variant, shelf.language or readership.content.language, shelf.district, shelf.title)
        for variant, readership in zip(variants, plan.readerships, strict=True)
        for shelf in readership.shelves
    ]
    if not shelved:
        return
    columns = dict(zip(("variant_id", "language", "district", "title"), zip(*shelved, strict=True), strict=True))
    with ticket.writing() as connection:
        publication = connection.scalar(sa.select(col(Mailing.publication)).where(col(Mailing.id) == ticket.mailing_id))
        mine = {"mailing_id": ticket.mailing_id, "publication": publication, "issue": plan.issue}
        bulk.insert(connection, Archived, columns, mine)


def addressed(readerships: Iterable[Readership], variants: Iterable[int]) -> Iterator[list[Addressed]]:
    """Yield the deliveries in variant order, those of one household together."""
    for readership, variant in zip(readerships, variants, strict=True):
        flat = iter(readership.members)
        pairs = zip(flat, flat, strict=True)
        for household, people in groupby(pairs, key=lambda pair: pair[1] or -pair[0]):
            shared = household if household > 0 else None
            yield [(variant, member, shared) for member, _ in people]


def batch_size(candidates: int) -> int:
    """Return how many deliveries a batch of a mailing to so many has at most."""
    return min(BATCH, max(_SMALLEST_BATCH, candidates // _SHARES))


def chunks(households: Iterable[list[Addressed]], size: int) -> Iterator[list[list[Addressed]]]:
    """Fill batches of at most `size` without parting a household; yield as many as one transaction takes."""
    batches: list[list[Addressed]] = [[]]
    for household in households:
        if batches[-1] and len(batches[-1]) + len(household) > size:
            if len(batches) == _DELIVERIES_A_TRANSACTION // size:
                yield batches
                batches = []
            batches.append([])
        batches[-1].extend(household)
    if batches[-1]:
        yield batches


def write_batches(ticket: Ticket, batches: Sequence[Sequence[Addressed]], *, now: datetime) -> int:
    """Insert the deliveries of some batches and the batches themselves. Returns how many deliveries."""
    mine = {"mailing_id": ticket.mailing_id, "plan": ticket.number}
    variants, members, households = zip(*chain.from_iterable(batches), strict=True)
    ends = list(accumulate(map(len, batches)))
    with ticket.writing() as connection:
        ids = bulk.reserve(connection, Delivery, ends[-1])
        rows = {"id": ids, "member_id": members, "household": households, "variant_id": variants}
        bulk.insert(connection, Delivery, rows, mine | {"state": DeliveryState.QUEUED, "attempts": 0})
        ranges = {"lo": [ids[start] for start in (0, *ends[:-1])], "hi": [ids[end - 1] for end in ends]}
        bulk.insert(connection, Batch, ranges, mine | {"state": BatchState.OPEN, "due_at": now, "fence": 0})
    return len(members)


def make_valid(ticket: Ticket, *, content: str, candidates: int, now: datetime) -> None:
    """The switch. A plan without anybody to write to is done at once."""
    state = {"state": MailingState.PLANNED} if candidates else {"state": MailingState.DONE, "done_at": now}
    with ticket.settling() as connection:
        connection.execute(
            sa.update(Mailing)
            .where(col(Mailing.id) == ticket.mailing_id)
            .values(plan=ticket.number, content=content, candidates=candidates, **state)
        )


def _weighed(contents: Sequence[Content]) -> Iterator[list[Content]]:
    some: list[Content] = []
    weight = 0
    for content in contents:
        some.append(content)
        weight += 1 + len(content.stories) + len(content.events)
        if weight >= ROWS_A_TRANSACTION:
            yield some
            some, weight = [], 0
    if some:
        yield some
