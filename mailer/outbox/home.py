"""Whether the database is where it was, and as far as it was: a copy that was put back starts with all mailings held.

Two signs give a copy away. It lies elsewhere: SQLite's file is another one, PostgreSQL's tables are others, or of
another server or timeline. Or it lies in the same place and has counted fewer leases than this machine remembers.
"""

import fcntl
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col

from mailer import db
from mailer.errors import Trouble
from mailer.outbox import control
from mailer.outbox.models import Home, Mailing, MailingState
from mailer.sentences import N_

RESTORED = N_(
    "The database was put back from a copy, and some of this may have been sent since: resume it to send it, "
    "or cancel it."
)
PUT_BACK = N_("The database was put back from a copy while a worker was sending.")
# Of any PostgreSQL that restores: its number (another server), timeline (a moment of the past) or tables (a dump).
_TABLES = """
SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                 (SELECT timeline_id FROM pg_control_checkpoint()), 'mailing'::regclass::oid)
"""
# Asked for every batch, and so built once.
_COUNTED = sa.update(Home).values(leases=col(Home.leases) + 1).returning(col(Home.leases))

log = structlog.get_logger()


class Watermark:
    """The highest number of a lease that this machine has seen: a small file, written without waiting for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def beside(cls, journals: Path) -> "Watermark":
        """Return this machine's: it lies beside its workers' journals."""
        return cls(journals.with_name("watermark"))

    def read(self) -> int:
        """Return 0 where nothing is remembered, or what is cannot be read."""
        try:
            return int(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            return 0

    def rise_to(self, number: int) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = os.pread(file, 20, 0)
            if not before.isdigit() or int(before) < number:
                os.pwrite(file, b"%020d" % number, 0)
        finally:
            os.close(file)

    def forget(self) -> None:
        """Begin anew with a database that has counted less."""
        self._path.unlink(missing_ok=True)


def look_round(engine: sa.Engine, watermark: Watermark, *, now: datetime) -> None:
    """Hold every mailing when this is a copy that was put back. Called before anything is done with a database."""
    with db.reading(engine) as session:
        if _is_known(session, watermark):
            return
    with db.writing(engine) as session:
        known = _is_known(session, watermark)
        if session.get(Home, 1) is None:
            session.add(Home(id=1, place=_place(session.connection())))
        elif not known:
            log.warning("outbox.restored", held=begin_anew(session, watermark, now=now))


def _is_known(session: Session, watermark: Watermark) -> bool:
    """Say whether `session`, which has asked for nothing of it yet, sees the database that we know.

    What we remember is read first: others lease meanwhile, and the mark rises after their commits. Read last, it would
    be above what this transaction sees, and a database that never moved be taken for a copy.
    """
    remembered = watermark.read()
    home = session.get(Home, 1)
    return home is not None and home.place == _place(session.connection()) and home.leases >= remembered


def begin_anew(session: Session, watermark: Watermark, *, now: datetime) -> int:
    """Hold every mailing that could be sent, and return how many: a person or `look_round` says that this is a copy."""
    home = session.get_one(Home, 1)
    home.place, home.restored_at = _place(session.connection()), now
    watermark.forget()
    held = control.hold_all(session.connection(), reason=RESTORED)
    # A draft whose time has come may have been sent as well: nobody but a person sends what is late.
    drafts = sa.update(Mailing).where(col(Mailing.state) == MailingState.DRAFT, col(Mailing.send_at) <= now)
    session.connection().execute(drafts.values(late_at=col(Mailing.send_at)))
    return held


def may_have_been_sent(session: Session, send_at: datetime | None) -> bool:
    """Say whether a mailing that is opened now may be one that the database has forgotten: its time was before."""
    restored_at = session.scalar(sa.select(col(Home.restored_at)))
    return restored_at is not None and send_at is not None and send_at <= restored_at


def count_lease(connection: sa.Connection, watermark: Watermark) -> int:
    """Return the number of one more lease; the watermark may rise to it when it is committed.

    raises  Trouble when that was counted before: the database was put back while we worked
    """
    number = connection.scalar(_COUNTED)
    if number is not None and number <= watermark.read():
        raise Trouble(PUT_BACK)
    return number or 0


def _place(connection: sa.Connection) -> str:
    return _PLACES[connection.dialect.name](connection)


def _file(connection: sa.Connection) -> str:
    path = connection.engine.url.database
    return f"file {Path(path).stat().st_ino}" if path else "memory"


def _tables(connection: sa.Connection) -> str:
    return f"tables {connection.exec_driver_sql(_TABLES).scalar_one()}"


_PLACES: Mapping[str, Callable[[sa.Connection], str]] = {"sqlite": _file, "postgresql": _tables}
