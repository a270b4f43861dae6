"""The senders that are compared. Each run is of a fresh copy of the database and a fresh server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import col

from benchmarks.delivery import servers
from benchmarks.delivery.processes import Run, run_together
from benchmarks.delivery.servers import Sink
from benchmarks.delivery.stage import Installation
from benchmarks.delivery.stores import Store
from mailer import db
from mailer.outbox.ledger import counts
from mailer.outbox.models import DeliveryState, Mailing

WORKERS = 2


class Sender(Protocol):
    @property
    def name(self) -> str: ...

    def run(self, sink: Sink) -> Run:
        """Send everything once to a server that is started for it."""


@dataclass(frozen=True)
class SmtpSource:
    letter: Path
    messages: int
    sessions: int
    name: str = "smtp-source"

    def run(self, sink: Sink) -> Run:
        with sink.running() as port:
            return servers.smtp_source(port, self.letter, messages=self.messages, sessions=self.sessions)


@dataclass(frozen=True)
class Utskick:
    """WORKERS processes that share the connections."""

    store: Store
    messages: int
    connections: int
    signs: bool = False

    @property
    def name(self) -> str:
        return f"Utskick, {self.store.name}" + (", DKIM" if self.signs else "")

    def run(self, sink: Sink) -> Run:
        with self.store.fresh() as installation, sink.running() as port:
            run = run_together(workers(installation, port, self.connections, signs=self.signs), self.messages)
            require_all_sent(installation, self.messages)
        return run


@dataclass(frozen=True)
class Naive:
    store: Store
    messages: int
    connections: int
    name: str = "the ordinary way"

    def run(self, sink: Sink) -> Run:
        with self.store.fresh() as installation, sink.running() as port:
            command = [*_command("naive", installation, port, self.connections), str(self.messages)]
            return run_together([command], self.messages)


@dataclass(frozen=True)
class Signatures:
    """No mailing at all: `what` is "bare" RSA, or DKIM for "letters"."""

    store: Store
    what: str
    messages: int

    @property
    def name(self) -> str:
        return "RSA-2048 alone" if self.what == "bare" else "DKIM alone"

    def run(self, sink: Sink) -> Run:
        del sink  # nothing is sent
        with self.store.fresh() as installation:
            where = [str(installation.folder), installation.database]
            return run_together([["benchmarks.delivery.signing", *where, self.what, str(self.messages)]], self.messages)


def workers(installation: Installation, port: int, connections: int, *, signs: bool = False) -> list[list[str]]:
    """Return the commands of WORKERS processes that share the connections."""
    command = [*_command("worker", installation, port, connections // WORKERS), *(["dkim"] if signs else [])]
    return [command] * WORKERS


def require_all_sent(installation: Installation, messages: int) -> None:
    """Stop the bench when anything was not sent, for then its speed means nothing."""
    engine = installation.app().bare_engine
    with db.reading(engine) as session:
        mailing, plan = session.execute(sa.select(col(Mailing.id), col(Mailing.plan))).one()
        found = counts(session.connection(), mailing, plan)
    engine.dispose()
    if found[DeliveryState.SENT] != messages:
        raise SystemExit(f"not everything was sent: {found}")


def _command(module: str, installation: Installation, port: int, connections: int) -> Sequence[str]:
    where = [str(installation.folder), installation.database]
    return [f"benchmarks.delivery.{module}", *where, str(port), str(connections)]
