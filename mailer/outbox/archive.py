"""The archive's shelves: what was sent, for whoever looks later, by publication and district.

An occasion says with its plan which contents stand there (`Readership.shelves`). They stand from when the first letter
goes until `[retention] archive` ends; not while the mailing is stopped, and never when it was cancelled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.outbox.models import Archived, Mailing, MailingState

_SHOWN = sa.and_(
    col(Mailing.started_at).is_not(None), col(Mailing.state).in_((MailingState.PLANNED, MailingState.DONE))
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One issue as it stands on a shelf. `changed_at`: when its words were last other ones."""

    issue: str
    title: str
    sent_at: datetime
    changed_at: datetime
    mailing: int
    variant: int


@dataclass(frozen=True, slots=True)
class Place:
    """A shelf: of a publication, for a district ("": none in particular), in a language."""

    publication: str
    district: str
    language: str


def entries(session: Session, place: Place, *, most: int) -> list[Entry]:
    """Return what stands on a shelf, newest first."""
    query = _entries(place).order_by(col(Mailing.started_at).desc(), col(Mailing.id).desc())
    return [_entry(row) for row in session.execute(query.limit(most))]


def find(session: Session, place: Place, issue: str) -> Entry | None:
    """Return one issue; of two of the same name the later."""
    query = _entries(place).where(col(Archived.issue) == issue).order_by(col(Mailing.id).desc())
    row = session.execute(query.limit(1)).first()
    return None if row is None else _entry(row)


def districts(session: Session, publication: str) -> set[str]:
    """Return the districts that a publication has something for."""
    query = sa.select(col(Archived.district)).join(Mailing, col(Mailing.id) == col(Archived.mailing_id))
    shown = query.where(_SHOWN, col(Archived.publication) == publication, col(Archived.district) != "")
    return set(session.scalars(shown.distinct()))


def told(connection: sa.Connection, publication: str) -> dict[str, list[tuple[int, int]]]:
    """Return what a reader of each district has had of a publication: mailings and their variants, oldest first."""
    query = (
        sa.select(col(Archived.district), col(Archived.mailing_id), col(Archived.variant_id))
        .join(Mailing, col(Mailing.id) == col(Archived.mailing_id))
        .where(col(Archived.publication) == publication, col(Mailing.state) != MailingState.CANCELLED)
        .order_by(col(Archived.mailing_id))
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for district, mailing, variant in connection.execute(query):
        found.setdefault(district, []).append((mailing, variant))
    return found


def shown(session: Session, mailing: int) -> frozenset[int]:
    """Return the variants of a mailing that stand anywhere in the archive, or will when it goes."""
    return frozenset(session.scalars(sa.select(col(Archived.variant_id)).where(col(Archived.mailing_id) == mailing)))


def put_right(session: Session, mailing: int, renewed: Mapping[int, tuple[int, str] | None], now: datetime) -> int:
    """Show corrected variants, with their titles, in place of others; None: nothing of it is left. Returns how many."""
    changed = 0
    for old, new in renewed.items():
        shelf = sa.and_(col(Archived.mailing_id) == mailing, col(Archived.variant_id) == old)
        change: sa.Update | sa.Delete = sa.delete(Archived).where(shelf)
        if new is not None:
            change = sa.update(Archived).where(shelf).values(variant_id=new[0], title=new[1], corrected_at=now)
        changed += session.connection().execute(change).rowcount
    return changed


def too_old(before: datetime) -> sa.Select[int | None]:
    """Return the query for what stands there since before `before`."""
    query = sa.select(col(Archived.id)).join(Mailing, col(Mailing.id) == col(Archived.mailing_id))
    return query.where(sa.func.coalesce(col(Mailing.started_at), col(Mailing.created_at)) < before).order_by(
        col(Archived.id)
    )


def forget(session: Session, *, before: datetime, most: int) -> int:
    """Take down what stands there since before `before`, `most` at once. Returns how many it were."""
    ids = session.scalars(too_old(before).limit(most)).all()
    session.execute(sa.delete(Archived).where(col(Archived.id).in_(ids)))
    return len(ids)


def _entries(place: Place) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            col(Archived.issue),
            col(Archived.title),
            col(Mailing.started_at),
            col(Archived.corrected_at),
            col(Archived.mailing_id),
            col(Archived.variant_id),
        )
        .join(Mailing, col(Mailing.id) == col(Archived.mailing_id))
        .where(
            col(Archived.publication) == place.publication,
            col(Archived.district) == place.district,
            col(Archived.language) == place.language,
            _SHOWN,
        )
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(
        row.issue, row.title, row.started_at, row.corrected_at or row.started_at, row.mailing_id, row.variant_id
    )
