"""An import from the file's bytes to the register. The edge gives the bytes and the transactions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import PurePath

from sqlmodel import Session

from subscribers import access
from subscribers.importing import columns, entries, gather, lines, staging
from subscribers.importing.apply import apply
from subscribers.importing.line import Line
from subscribers.importing.plan import Plan, plan
from subscribers.importing.target import Policy

_HEADINGS_WITHIN = 20  # lines: above them some exports write a title
_SAMPLE = 500  # lines that show what a column holds

Progress = Callable[[str, int, int | None], None]  # step, done, of how many (None: nobody knows)
Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A file as it came: its bytes, its name, and what was said about it."""

    data: bytes
    name: str
    sheet: str | None
    said: Mapping[str, str]  # field -> heading


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, and what is needed to carry it out. `not_read` are headings of columns that nobody mapped."""

    plan: Plan
    not_read: tuple[str, ...]
    header_key: str
    said: Mapping[str, str]
    planned_after: int


def prepare(session: Session, file: MemberFile, policy: Policy, progress: Progress) -> Prepared:
    """Read the file and plan it; changes nothing.

    raises  Refused when the file, its columns or its mapping cannot be used
    """
    planned_after = staging.latest(session)
    read = lines.read(file.data, name=PurePath(file.name).name, sheet=file.sheet)
    first = list(islice(read, _HEADINGS_WITHIN + _SAMPLE))
    at = columns.find_header(first[:_HEADINGS_WITHIN])
    header = first[at].cells
    key = columns.header_key(header)
    said = {**gather.remembered(session, key), **file.said}
    chosen = columns.choose(header, said)
    columns.refuse_identity_numbers(header, chosen, first[at + 1 :])
    reference = gather.references(session)
    found = _counted(chain(first[at + 1 :], read), progress)
    decided = plan(
        (entries.parse(line, chosen, len(header), reference) for line in found), gather.register(session), policy
    )
    not_read = tuple(name for index, name in enumerate(header) if name and index not in chosen.values())
    return Prepared(plan=decided, not_read=not_read, header_key=key, said=said, planned_after=planned_after)


def carry_out(transaction: Transaction, prepared: Prepared, *, who: str, now: datetime, progress: Progress) -> None:
    """Do what was planned, whole or not at all, in short transactions of its own.

    who     the system account, for the register's diary
    raises  Refused when another import came between; nothing is changed then
    """
    changes = prepared.plan.changes
    with transaction() as session:
        access.record(session, who=who, what=access.Act.IMPORT, count=len(changes), now=now)
        if prepared.said:
            staging.remember(session, prepared.header_key, prepared.said, now)
    _sweep(transaction)
    with transaction() as session:
        run_id = staging.begin(session, rows=len(changes), now=now)
    starts = range(0, len(changes), staging.CHUNK)
    for place, start in enumerate(starts):
        with transaction() as session:
            staging.stage(session, run_id, changes[start : start + staging.CHUNK], place=place)
        progress("Preparing", start, len(changes))
    with transaction() as session:
        staging.accept(session, run_id, chunks=len(starts), planned_after=prepared.planned_after, now=now)
    finish(transaction, now=now, progress=lambda done: progress("Writing", done, len(changes)))


def finish(transaction: Transaction, *, now: datetime, progress: Callable[[int], None] = lambda _: None) -> None:
    """Apply what is left of accepted imports: those just accepted, and any that a crash interrupted."""
    done = 0
    while True:
        with transaction() as session:
            changes = staging.take(session)
            if changes is None:
                return
            apply(session, changes, now)
        done += len(changes)
        progress(done)


def is_unfinished(session: Session) -> bool:
    """Say whether an accepted import waits to be finished."""
    return staging.is_open(session)


def _sweep(transaction: Transaction) -> None:
    more = True
    while more:
        with transaction() as session:
            more = staging.sweep(session)


def _counted(found: Iterator[Line], progress: Progress) -> Iterator[Line]:
    for count, line in enumerate(found):
        if count % staging.CHUNK == 0:
            progress("Reading", count, None)
        yield line
