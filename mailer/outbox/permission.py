"""May this mailing go on, and may this member still be written to? Asked again whenever something changed."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict

import sqlalchemy as sa
from sqlmodel import col

from mailer import db
from mailer.outbox.manifest import Occasion
from mailer.outbox.models import Mailing, MailingState
from subscribers import audience
from subscribers.recipient import why_not
from subscribers.streams import Stream

_ASK_AGAIN = 2.0  # seconds, where a database does not tell of everything: what other programs write
_REMEMBERED = 10_000  # members of a mailing: while nothing changes a worker would keep the whole list
_STATE = sa.select(col(Mailing.state)).where(col(Mailing.id) == sa.bindparam("mailing"))


class Watch(Protocol):
    def changed(self) -> bool:
        """Say whether anybody may have committed anything since the last call. Microseconds."""


class _SqliteWatch:
    """Sees every `db.writing`, in any process; and asks again within two seconds of what is written beside.

    https://sqlite.org/pragma.html#pragma_data_version: the number changes with others' commits of either kind.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._execute = connection.connection.cursor().execute
        self._commits: object = None
        self._writings: object = None
        self._beside, self._asked = False, 0.0

    def changed(self) -> bool:
        commits, (self._commits,) = self._commits, self._execute("PRAGMA data_version").fetchone()
        written = False
        if commits != self._commits:
            known, (self._writings,) = self._writings, self._execute("PRAGMA user_version").fetchone()
            written, self._beside = known != self._writings, True
        if not written and not (self._beside and time.monotonic() - self._asked >= _ASK_AGAIN):
            return False
        self._beside, self._asked = False, time.monotonic()
        return True


class _PostgresWatch:
    """Hears of every `db.writing` when it commits; and asks again every two seconds, for what is written beside."""

    def __init__(self, connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.add_notify_handler(self._hear)  # called for what comes along with an answer
        self._wire, self._broken = driver.pgconn, connection.dialect.loaded_dbapi.Error
        self._heard, self._asked = True, time.monotonic()
        with connection.begin():
            connection.exec_driver_sql(f"LISTEN {db.CHANGED}")

    def _hear(self, _: object) -> None:
        self._heard = True

    def changed(self) -> bool:
        try:
            self._wire.consume_input()
        except self._broken:  # the next question will say so
            return True
        while self._wire.notifies() is not None:
            self._heard = True
        if not self._heard and time.monotonic() - self._asked < _ASK_AGAIN:
            return False
        self._heard, self._asked = False, time.monotonic()
        return True


_WATCHES: Mapping[str, Callable[[sa.Connection], Watch]] = {"sqlite": _SqliteWatch, "postgresql": _PostgresWatch}


class Permission:
    """Answers from memory until the watch says that something changed. Holds one connection, for reading.

    after_pass  runs a call when the event loop begins its next pass (`call_soon`); None where there is no loop
    """

    def __init__(
        self,
        engine: sa.Engine,
        now: Callable[[], datetime],
        *,
        after_pass: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        with db.named_trouble():
            self._connection = engine.connect()
            self._watch = _WATCHES[engine.dialect.name](self._connection)
            self._connection.detach()  # it listens: nobody else shall have it afterwards
        self._now = now
        self._after_pass = after_pass
        self._asked_in_pass = False
        self.changes = 0  # that were seen
        self._going: dict[int, bool] = {}
        self._allowed: dict[int, dict[int, bool]] = {}  # mailing -> member -> may be sent it
        self._known: dict[int, set[int]] = {}  # mailing -> those who may

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def refresh(self) -> None:
        """Forget the answers if anything changed. Call before each question that must be answered as of now."""
        if self._watch.changed():
            self.changes += 1
            self._going.clear()
            self._allowed.clear()
            self._known.clear()

    def refresh_once_a_pass(self) -> None:
        """As `refresh`, but not again before the event loop's next pass.

        A pass answers what the connections have read by its beginning: some letters, within a millisecond or two.
        """
        if self._asked_in_pass:
            return
        self.refresh()
        if self._after_pass is not None:
            self._asked_in_pass = True
            self._after_pass(self._next_pass)

    def _next_pass(self) -> None:
        self._asked_in_pass = False

    def ask_again(self, mailing: int) -> None:
        """Forget whether a mailing is being sent, also where the watch is too slow to tell."""
        self._going.pop(mailing, None)

    def going(self, mailing: int) -> bool:
        """Say whether a mailing is being sent: neither paused, held nor cancelled."""
        if mailing not in self._going:
            with db.named_trouble(), self._connection.begin():
                state = self._connection.scalar(_STATE, {"mailing": mailing})
            self._going[mailing] = state == MailingState.PLANNED
        return self._going[mailing]

    def allowed(self, occasion: Occasion, member: int, others: Iterable[int]) -> bool:
        """Say whether `member` may be sent this mailing. `others` will be asked for soon: one query tells of all."""
        answers = self._answers(occasion.mailing)
        if member not in answers:
            asked = {member, *others} - answers.keys()
            with db.named_trouble(), self._connection.begin():
                self._learn(answers, occasion.mailing, ask(self._connection, occasion, asked, now=self._now()))
        return answers[member]

    def learn(self, occasion: Occasion, found: Mapping[int, bool], *, changes: int) -> None:
        """Take over what somebody else was told by `ask`, when nothing changed since there were so many `changes`."""
        if changes == self.changes:
            self._learn(self._answers(occasion.mailing), occasion.mailing, found)

    def _answers(self, mailing: int) -> dict[int, bool]:
        answers = self._allowed.setdefault(mailing, {})
        if len(answers) > _REMEMBERED:
            answers.clear()
            self._known[mailing].clear()
        return answers

    def _learn(self, answers: dict[int, bool], mailing: int, found: Mapping[int, bool]) -> None:
        answers |= found
        self._known.setdefault(mailing, set()).update([member for member, may in found.items() if may])

    def known_to_be_allowed(self, mailing: int) -> Collection[int]:
        """Return members who may be sent `mailing`, as was asked since anything changed: none while it is stopped."""
        return self._known.get(mailing, ()) if self._going.get(mailing) else ()

    def why_not(self, occasion: Occasion, members: Collection[int]) -> dict[int, str]:
        """Name the reason for each of those who may not be written to."""
        with db.named_trouble(), self._connection.begin():
            return why_not(self._connection, **_rule(occasion), member_ids=list(members), now=self._now())


def ask(connection: sa.Connection, occasion: Occasion, members: Collection[int], *, now: datetime) -> dict[int, bool]:
    """Return of each of `members` whether they may be sent this mailing."""
    found = audience.allowed(connection, **_rule(occasion), member_ids=members, now=now)
    return {member: member in found for member in members}


class _Rule(TypedDict):
    """Which rule of the register a mailing falls under."""

    publication: str
    stream: Stream
    elsewhere: bytes | None


def _rule(occasion: Occasion) -> _Rule:
    elsewhere = occasion.elsewhere.key if occasion.elsewhere else None
    return _Rule(publication=occasion.publication, stream=occasion.stream, elsewhere=elsewhere)
