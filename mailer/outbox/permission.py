"""May this mailing go on, and may this member still be written to? Asked again whenever something changed."""

import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypedDict

import sqlalchemy as sa
from sqlmodel import col

from mailer.outbox.manifest import Occasion
from mailer.outbox.models import Mailing, MailingState
from subscribers import audience
from subscribers.recipient import why_not
from subscribers.streams import Stream

_ASK_AGAIN = 0.5  # seconds, where a database does not tell that it changed


_STATE = sa.select(col(Mailing.state)).where(col(Mailing.id) == sa.bindparam("mailing"))


class Watch(Protocol):
    def changed(self) -> bool:
        """Say whether anybody may have committed anything since the last call. Microseconds."""


class _SqliteWatch:
    """https://sqlite.org/pragma.html#pragma_data_version: the number changes with others' commits, in any process."""

    def __init__(self, connection: sa.Connection) -> None:
        self._execute = connection.connection.cursor().execute
        self._version: object = None

    def changed(self) -> bool:
        before, (self._version,) = self._version, self._execute("PRAGMA data_version").fetchone()
        return before != self._version


class _TimedWatch:
    def __init__(self) -> None:
        self._asked = float("-inf")

    def changed(self) -> bool:
        if time.monotonic() - self._asked < _ASK_AGAIN:
            return False
        self._asked = time.monotonic()
        return True


class Permission:
    """Answers from memory until the watch says that something changed. Holds one connection, for reading."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._connection = engine.connect()
        self._now = now
        self._watch: Watch = _SqliteWatch(self._connection) if engine.dialect.name == "sqlite" else _TimedWatch()
        self._going: dict[int, bool] = {}
        self._allowed: dict[tuple[int, int], bool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def refresh(self) -> None:
        """Forget the answers if anything changed. Call before each question that must be answered as of now."""
        if self._watch.changed():
            self._going.clear()
            self._allowed.clear()

    def ask_again(self, mailing: int) -> None:
        """Forget whether a mailing is being sent, also where the watch is too slow to tell."""
        self._going.pop(mailing, None)

    def going(self, mailing: int) -> bool:
        """Say whether a mailing is being sent: neither paused, held nor cancelled."""
        if mailing not in self._going:
            with self._connection.begin():
                state = self._connection.scalar(_STATE, {"mailing": mailing})
            self._going[mailing] = state == MailingState.PLANNED
        return self._going[mailing]

    def allowed(self, occasion: Occasion, member: int, others: Callable[[], Iterable[int]]) -> bool:
        """Say whether `member` may be sent this mailing. `others` will be asked for soon: one query tells of all."""
        key = (occasion.mailing, member)
        if key not in self._allowed:
            asked = {member, *(other for other in others() if (occasion.mailing, other) not in self._allowed)}
            with self._connection.begin():
                found = audience.allowed(self._connection, **_rule(occasion), member_ids=asked, now=self._now())
            self._allowed |= {(occasion.mailing, each): each in found for each in asked}
        return self._allowed[key]

    def why_not(self, occasion: Occasion, members: Collection[int]) -> dict[int, str]:
        """Name the reason for each of those who may not be written to."""
        with self._connection.begin():
            return why_not(self._connection, **_rule(occasion), member_ids=list(members), now=self._now())


class _Rule(TypedDict):
    """Which rule of the register a mailing falls under."""

    publication: str
    stream: Stream
    elsewhere: bytes | None


def _rule(occasion: Occasion) -> _Rule:
    elsewhere = occasion.elsewhere.key if occasion.elsewhere else None
    return _Rule(publication=occasion.publication, stream=occasion.stream, elsewhere=elsewhere)
