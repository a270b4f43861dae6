"""An installation to be ill-treated: config, keys and database as `utskick init` makes them, and mailings to send."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col

from mailer import keys
from mailer.app import App, Places
from mailer.outbox.models import (
    Batch,
    BatchState,
    Breaker,
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    Piece,
    Variant,
)
from mailer.resources import resource
from subscribers import sealed
from subscribers.models import Subscription
from tests.builders import MOMENT, a_member
from tests.chaos.ledger import Acceptance, Account, Letter
from tests.postgres import Cluster

CONNECTIONS = 9  # of all workers together
LEASE = 8  # seconds
PER_BATCH = 50
_SMALL_DISK = "96m"


def the_time() -> datetime:
    return datetime.now(UTC)


class Site:
    """One installation and its sink's logs, in `folder`. Leave it with `close`."""

    def __init__(self, folder: Path, *, members: int, cluster: Cluster | None) -> None:
        self.folder = folder
        self.post = folder / "sink"
        self.post.mkdir()
        self.places = Places(config=folder / "config.toml", data=folder / "data", keys=folder / "keys.toml")
        self.small_disk = _mount(folder / "data")
        text = resource("config.toml").read_text(encoding="utf-8")
        self.places.config.write_text(text, encoding="utf-8")
        keys.create(self.places.keys)
        self.environ = {
            "UTSKICK_OUTBOX__LEASE": f"{LEASE} seconds",
            "UTSKICK_PROVIDERS__SMTP__SECURITY": "none",
            "UTSKICK_PROVIDERS__SMTP__CONNECTIONS": str(CONNECTIONS),
            **{f"UTSKICK_PROVIDERS__SMTP__PATIENCE__{step}": "1 second" for step in ("GREETING", "COMMAND", "DATA")},
            "UTSKICK_PROVIDERS__SMTP__PATIENCE__FINAL": "2 seconds",
        }
        database = "" if cluster is None else _database(cluster)
        self.app = App.load(self.places, self.environ | {"UTSKICK_DATABASE": database})
        if database:
            # Whoever is stopped inside a transaction is cut off before its lease is over, as in earnest after minutes.
            limit = f"-c%20idle_in_transaction_session_timeout%3D{LEASE // 2}s"
            self.environ["UTSKICK_DATABASE"] = f"{database}&options={limit}"
        self.app.prepare()
        sealed.unlock(self.app.keyring.register)
        self.members = self._enrol(members)
        self.mailings: list[int] = []

    def close(self) -> None:
        self.app.engine.dispose()
        if self.small_disk:
            subprocess.run(["umount", "--lazy", str(self.places.data)], check=True)  # noqa: S603, S607  mounted by us

    @property
    def arguments(self) -> list[str]:
        return ["--config", str(self.places.config), "--data", str(self.places.data)]

    @property
    def journals(self) -> Path:
        return self.folder / "data" / "journal"

    def _enrol(self, count: int) -> dict[int, str]:
        addresses = [f"m{number}@example.org" for number in range(1, count + 1)]
        with self.app.writing() as session:
            people = [a_member(address, given_name="Åsa") for address in addresses]
            session.add_all(people)
            session.flush()
            found = {person.id or 0: address for person, address in zip(people, addresses, strict=True)}
            session.add_all(Subscription(member_id=number, publication="weekly", since=MOMENT) for number in found)
        return found

    def plan(self) -> None:
        """Plan one more mailing to every member."""
        with self.app.writing() as session:
            mailing = Mailing(
                key=_key(len(self.mailings) + 1),
                publication="weekly",
                letter="digest",
                state=MailingState.PLANNED,
                content=json.dumps(_CONTENT),
                plan=1,
                candidates=len(self.members),
                created_at=the_time(),
            )
            session.add(mailing)
            session.flush()
            number = mailing.id or 0
            session.add(Piece(mailing_id=number, ref=1, content=json.dumps(_PIECE)))
            variant = Variant(mailing_id=number, plan=1, language="sv", content=json.dumps(_VARIANT))
            session.add(variant)
            session.flush()
            rows = [
                Delivery(mailing_id=number, plan=1, member_id=member, variant_id=variant.id or 0)
                for member in self.members
            ]
            session.add_all(rows)
            session.flush()
            ids = sorted(row.id or 0 for row in rows)
            for start in range(0, len(ids), PER_BATCH):
                some = ids[start : start + PER_BATCH]
                session.add(Batch(mailing_id=number, plan=1, lo=some[0], hi=some[-1], due_at=the_time()))
        self.mailings.append(number)

    def acceptances(self) -> list[Acceptance]:
        lines = _lines(self.post / "accepted")
        return [
            Acceptance(Letter(int(mailing), recipient), shape)
            for mailing, recipient, shape in (line.split("\t") for line in lines)
        ]

    def accepted(self, mailing: int | None = None) -> int:
        """Count what the sink has accepted, of one mailing or of all."""
        lines = _lines(self.post / "accepted")
        return len(lines) if mailing is None else sum(line.startswith(f"{mailing}\t") for line in lines)

    def busiest(self) -> int:
        """Return a mailing that is being sent: that of a leased batch, else the last one."""
        with self.app.reading() as session:
            leased = sa.select(col(Batch.mailing_id)).where(col(Batch.state) == BatchState.LEASED).limit(1)
            return session.scalar(leased) or self.mailings[-1]

    def key(self, mailing: int) -> str:
        return _key(self.mailings.index(mailing) + 1)

    def waiting(self) -> int:
        """Count the deliveries that are due, or in somebody's hands."""
        with self.app.reading() as session:
            due = sa.or_(col(Delivery.due_at).is_(None), col(Delivery.due_at) <= the_time())
            query = sa.select(sa.func.count()).where(col(Delivery.state) == DeliveryState.QUEUED, due)
            return session.scalar(query) or 0

    def unsettled(self, owner: str = "") -> int:
        """Count what the leases of `owner` have not settled; of all workers without one. It is part of their name."""
        with self.app.reading() as session:
            held = sa.and_(
                col(Batch.state) == BatchState.LEASED,
                col(Batch.owner).contains(owner),
                col(Delivery.id).between(col(Batch.lo), col(Batch.hi)),
                sa.or_(col(Delivery.due_at).is_(None), col(Delivery.due_at) <= col(Batch.due_at)),
            )
            query = sa.select(sa.func.count()).select_from(Delivery).join(Batch, held)
            return session.scalar(query.where(col(Delivery.state) == DeliveryState.QUEUED)) or 0

    def holders(self) -> set[str]:
        """Return the workers that hold a batch."""
        with self.app.reading() as session:
            return set(session.scalars(sa.select(col(Batch.owner)).where(col(Batch.state) == BatchState.LEASED)))

    def in_hand(self, mailing: int) -> bool:
        """Whether a batch of a mailing is leased."""
        with self.app.reading() as session:
            leased = sa.exists().where(col(Batch.mailing_id) == mailing, col(Batch.state) == BatchState.LEASED)
            return bool(session.scalar(sa.select(leased)))

    def leased(self, owner: str) -> bool:
        return any(owner in holder for holder in self.holders())

    def forget_since(self, moment: datetime) -> None:
        """Drop the outcomes written since `moment` of leased batches: the last transactions before a power cut.

        The leases themselves stay: each was on disk before its first message.
        """
        with self.app.writing() as session:
            leased = sa.exists().where(
                col(Batch.state) == BatchState.LEASED, col(Delivery.id).between(col(Batch.lo), col(Batch.hi))
            )
            session.connection().execute(
                sa.update(Delivery)
                .where(leased, col(Delivery.settled_at) > moment)
                .values(state=DeliveryState.QUEUED, settled_at=None, due_at=None, code=None, answer=None, attempts=0)
            )

    def bring_forward(self) -> None:
        """Let the time pass for which deferred deliveries and a provider that rests wait."""
        now = the_time()
        with self.app.writing() as session:
            waiting = sa.update(Delivery).where(col(Delivery.state) == DeliveryState.QUEUED, col(Delivery.due_at) > now)
            session.connection().execute(waiting.values(due_at=now))
            later = sa.update(Batch).where(col(Batch.state) == BatchState.OPEN, col(Batch.due_at) > now)
            session.connection().execute(later.values(due_at=now))
            session.connection().execute(sa.update(Breaker).values(until=now))

    def unfinished(self) -> list[int]:
        """Return the mailings that are not over, or of which something is queued still."""
        queued = sa.exists().where(
            col(Delivery.mailing_id) == col(Mailing.id), col(Delivery.state) == DeliveryState.QUEUED
        )
        going = col(Mailing.state).not_in((MailingState.DONE, MailingState.CANCELLED))
        with self.app.reading() as session:
            query = sa.select(col(Mailing.id)).where(sa.or_(going, queued))
            return [number for number in session.scalars(query) if number in self.mailings]

    def uncertain(self) -> int:
        with self.app.reading() as session:
            query = sa.select(sa.func.count()).where(col(Delivery.state) == DeliveryState.UNCERTAIN)
            return session.scalar(query) or 0

    def unanswered(self) -> int:
        """Count the bodies that the sink left without an answer."""
        return len(_lines(self.post / "unanswered"))

    def account(self, *, bound: int) -> Account:
        return Account(
            acceptances=self.acceptances(),
            books=self._books(),
            candidates=dict.fromkeys(self.mailings, len(self.members)),
            unfinished=self.unfinished(),
            bound=bound + self.unanswered(),
        )

    def _books(self) -> dict[Letter, str]:
        with self.app.reading() as session:
            rows = session.execute(sa.select(col(Delivery.mailing_id), col(Delivery.member_id), col(Delivery.state)))
            return {Letter(mailing, self.members[member]): state.value for mailing, member, state in rows}


def _key(number: int) -> str:
    return f"weekly:chaos-{number}"


def _database(cluster: Cluster) -> str:
    """Make a database whose commits outlive its server, as they do by PostgreSQL's own default."""
    name = cluster.create()
    cluster.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    return cluster.url(name)


def _mount(folder: Path) -> bool:
    """Give `folder` a small disk of its own, where we may."""
    folder.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return False
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=0700", "utskick-chaos", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0  # noqa: S603  our own folder


def _lines(path: Path) -> list[str]:
    """Return the whole lines of a log that may be written to just now."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


_CONTENT = {
    "edition": "weekly:2024-W10",
    "subject": None,
    "intro": None,
    "correction": None,
    "names": {"district": {}, "topic": {}},
}
_PIECE = {
    "item": 1,
    "title": "Ny park",
    "paragraphs": ["Parken invigs i maj."],
    "teaser": "Parken invigs i maj.",
    "url": "https://example.org/1",
    "source_name": "Distriktet",
    "published": "2024-03-04",
    "image": None,
    "important": False,
}
_VARIANT = {"sections": [{"heading": "everyone", "items": [[1, "everyone"]]}], "letterhead": None}
