"""The import's own protocol, so that it is whole or not at all, in short transactions.

Every change is first staged, sealed. Setting `ImportRun.accepted_at` is the one small switch: before it nothing
counts, and the next import sweeps what was staged; after it the changes are applied a chunk at a time, each
chunk deleting its staged rows in its own transaction. Whoever opens the database next finishes an import that
was interrupted, and two who do so at once only take turns.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from subscribers.errors import Refused
from subscribers.importing.entries import Evidence
from subscribers.importing.plan import Change
from subscribers.importing.register import Person
from subscribers.models import Ground, ImportMapping, ImportRow, ImportRun, State

_PERSON = tuple(field.name for field in fields(Person))
CHUNK = 500  # changes of one transaction: some 50 ms of the 200 that a writer may take, on a busy machine too

Tree = dict[str, Any]


def latest(session: Session) -> int:
    """Return the id of the last accepted import, 0 when there is none: a plan is good until the next."""
    return session.exec(select(sa.func.max(ImportRun.id)).where(col(ImportRun.accepted_at).is_not(None))).one() or 0


def sweep(session: Session) -> bool:
    """Delete a chunk of what was staged and never accepted; return whether there may be more."""
    dead = session.exec(select(ImportRun).where(col(ImportRun.accepted_at).is_(None)).limit(1)).first()
    if dead is None:
        return False
    mine = select(ImportRow.place).where(ImportRow.run_id == dead.id).order_by(col(ImportRow.place))
    place = session.exec(mine.limit(1)).first()
    if place is None:
        session.delete(dead)
    else:
        session.exec(delete(ImportRow).where(col(ImportRow.run_id) == dead.id, col(ImportRow.place) == place))
    return True


def begin(session: Session, *, rows: int, now: datetime) -> int:
    """Open an import of `rows` changes and return its id."""
    run = ImportRun(at=now, rows=rows)
    session.add(run)
    session.flush()
    assert run.id is not None  # noqa: S101  # flushed: the database gave it one
    return run.id


def stage(session: Session, run_id: int, changes: Sequence[Change], *, place: int) -> None:
    """Keep a chunk of the changes, sealed; `place` counts the chunks from 0."""
    packed = json.dumps([_pack(change) for change in changes], ensure_ascii=False)
    session.add(ImportRow(run_id=run_id, place=place, change=packed))
    session.flush()


def accept(session: Session, run_id: int, *, chunks: int, planned_after: int, now: datetime) -> None:
    """Throw the switch: from here on the import will be whole.

    chunks         how many were staged
    planned_after  what `latest` said when the plan was made
    raises         Refused when another import came between
    """
    run = session.get(ImportRun, run_id, with_for_update=True)
    staged = session.exec(select(sa.func.count()).where(ImportRow.run_id == run_id)).one()
    if run is None or staged != chunks or latest(session) != planned_after:
        raise Refused("Another import came between; nothing was changed: run this one again.")
    run.accepted_at = now
    session.flush()


def take(session: Session) -> list[Change] | None:
    """Take the next chunk of an accepted import out of the staged rows; None when all is applied.

    Whoever takes must apply it in the same transaction.
    """
    open_runs = select(ImportRun).where(col(ImportRun.accepted_at).is_not(None), col(ImportRun.done_at).is_(None))
    run = session.exec(open_runs.order_by(col(ImportRun.id)).limit(1).with_for_update()).first()
    if run is None:
        return None
    mine = select(ImportRow.place).where(ImportRow.run_id == run.id).order_by(col(ImportRow.place))
    places = session.exec(mine.limit(2)).all()
    if len(places) < 2:  # noqa: PLR2004  # this one, and one that stays
        run.done_at = run.accepted_at
    if not places:
        return []
    row = session.get_one(ImportRow, (run.id, places[0]))
    session.delete(row)
    session.flush()
    return [_unpack(tree) for tree in json.loads(row.change)]


def is_open(session: Session) -> bool:
    """Say whether an accepted import is not applied to its end."""
    query = select(ImportRun.id).where(col(ImportRun.accepted_at).is_not(None), col(ImportRun.done_at).is_(None))
    return session.exec(query.limit(1)).first() is not None


def remember(session: Session, header_key: str, columns: Mapping[str, str], now: datetime) -> None:
    """Keep the mapping that was said for these headings, for the next file that has them."""
    session.merge(ImportMapping(header_key=header_key, columns=json.dumps(dict(columns), ensure_ascii=False), at=now))


def _pack(change: Change) -> Tree:
    return {
        "line": change.line,
        "member_id": change.member_id,
        "number_key": change.number_key and change.number_key.hex(),
        "address_key": change.address_key and change.address_key.hex(),
        "person": {name: getattr(change.person, name) for name in _PERSON},
        "evidence": change.evidence and {"text": change.evidence.text, "at": _moment(change.evidence.at)},
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _unpack(tree: Tree) -> Change:
    person, evidence = tree["person"], tree["evidence"]
    lists = {name: tuple(person[name]) for name in ("districts", "topics", "publications")}
    words = {"state": State(person["state"]), "ground": Ground(person["ground"])}
    if evidence is not None and evidence["at"] is not None:
        evidence["at"] = datetime.fromisoformat(evidence["at"])
    return Change(
        line=tree["line"],
        member_id=tree["member_id"],
        number_key=_bytes(tree["number_key"]),
        address_key=_bytes(tree["address_key"]),
        person=Person(**person | lists | words),
        evidence=Evidence(**evidence) if evidence is not None else None,
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
