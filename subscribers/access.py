"""The register's own diary: who read, exported, imported or erased, and when."""

from datetime import datetime

from sqlmodel import Session

from subscribers.models import Access


def record(  # each is one column of the diary
    session: Session, *, who: str, what: str, now: datetime, member_id: int | None = None, count: int = 1
) -> None:
    """Note that `who` (a system account) did `what` (list, show, export, erase, import) to `count` members."""
    session.add(Access(at=now, who=who, what=what, member_id=member_id, count=count))
