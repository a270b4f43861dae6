"""The register's own diary: who read, exported, imported or erased, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from subscribers.models import Access


class Act(StrEnum):
    """What is done with members' data, as the diary names it."""

    LIST = "list"
    SHOW = "show"
    EXPORT = "export"
    IMPORT = "import"
    ERASE = "erase"
    READMIT = "readmit"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    WELCOME = "welcome"
    EVENT = "event"  # who comes to it
    CHANGE_NAME = "change name"
    CHANGE_ADDRESS = "change address"


def record(  # each is one column of the diary
    session: Session, *, who: str, what: Act, now: datetime, member_id: int | None = None, count: int = 1
) -> None:
    """Note that `who` (a system account) did `what` to `count` members."""
    session.add(Access(at=now, who=who, what=what.value, member_id=member_id, count=count))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the diary. `member_id` None: it was about several members, or nobody in particular."""

    at: datetime
    who: str
    what: str
    member_id: int | None
    count: int


def diary(session: Session, *, member_id: int | None, most: int) -> list[Entry]:
    """Return the latest entries, newest first; of a member, those that name them."""
    query = select(Access).order_by(col(Access.id).desc()).limit(most)
    found = session.exec(query if member_id is None else query.where(Access.member_id == member_id))
    return [Entry(row.at, row.who, row.what, row.member_id, row.count) for row in found]
