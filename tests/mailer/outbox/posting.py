"""A post office with a small mailing in it. `python -m tests.mailer.outbox.posting FOLDER URL` is one to be killed.

More folders behind are those of others, for whose first letters it waits with the answer to its own.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from mailer import db
from mailer.clock import system_clock
from mailer.config import Settings
from mailer.config.publications import Publication
from mailer.config.site import Site
from mailer.links import Links, Purpose, Tokens
from mailer.outbox.batches import Terms
from mailer.outbox.carriers import Carrier
from mailer.outbox.compose import Composer, Json, LetterKind
from mailer.outbox.models import Batch, Delivery, DeliveryState, Mailing, MailingState, Piece, Variant
from mailer.outbox.office import Office
from mailer.outbox.running import drain, run
from mailer.outbox.single import as_written
from mailer.pace import UNLIMITED, Pace
from mailer.providers import Counted, Desk, Provider, Receipt
from mailer.render.head import Manner
from mailer.render.letters import Letters
from subscribers import sealed
from subscribers.models import Member, Subscription
from tests.builders import KEYS, MOMENT, a_member
from tests.waiting import TICK

KEY = "weekly:2024-W10"
LINKS = Links("https://post.example.org", Tokens({"a": bytes(32)}, "a"))
SETTINGS = Settings(
    site=Site(
        organisation="Exempelpartiet",
        postal_address="Exempelgatan 1",
        contact="kontakt@example.org",
        base_url="https://post.example.org",
    ),
    publications={
        "weekly": Publication(
            name={"sv": "Veckobrevet", "en": "The weekly letter"},
            from_name="Exempelpartiet",
            from_address="brev@example.org",
            reply_to="svar@example.org",
            list_id="brev.example.org",
        )
    },
)


def expand(mailing: Json, pieces: Mapping[int, Json], content: Json, _: str) -> Mapping[str, object]:
    """The simplest expander: title of the mailing, and of the piece that the variant names."""
    return {"title": f"{mailing['title']}: {pieces[content['piece']]['title']}"}


KINDS = {
    "note": LetterKind(expand, Manner.EDITORIAL),
    "short": LetterKind(as_written, Manner.SINGLE, act=Purpose.OWN),
}


@dataclass
class Clock:
    """A clock that a test sets."""

    at: datetime = MOMENT

    def __call__(self) -> datetime:
        return self.at

    def forward(self, span: timedelta) -> None:
        self.at += span


def an_office(
    engine: sa.Engine,
    journals: Path,
    *providers: Provider,
    now: Callable[[], datetime],
    pace: Pace = UNLIMITED,
    settings: Settings = SETTINGS,
    **names: Provider,
) -> Office:
    carriers = {**{f"provider{n}": provider for n, provider in enumerate(providers, 1)}, **names}
    letters = Letters(Path(__file__).parent / "letters")
    return Office(
        engine=engine,
        journals=journals,
        composer=Composer(letters, settings=settings, links=LINKS, kinds=KINDS),
        carriers=[
            Carrier(name, provider, pace, provider if isinstance(provider, Counted) else None)
            for name, provider in carriers.items()
        ],
        give_up_after=timedelta(days=2),
        send_within=timedelta(days=7),
        now=now,
        terms=Terms(),
    )


def send(office: Office) -> None:
    asyncio.run(drain(office))


def a_mailing(
    engine: sa.Engine,
    members: int | Sequence[Member] = 3,
    *,
    batch: int = 500,
    households: Sequence[Sequence[int]] = (),
    **values: object,
) -> int:
    """Store members 1.. (address m1@example.org, ...), and a planned mailing to all of them; return its id.

    households  members who share a mail, each lowest first
    """
    people = (
        [a_member(f"m{n}@example.org", given_name=f"Namn{n}") for n in range(1, members + 1)]
        if isinstance(members, int)
        else list(members)
    )
    leads = {member: home[0] for home in households for member in home}
    with db.writing(engine) as session:
        session.add_all(people)
        session.flush()
        ids = [person.id for person in people if person.id is not None]
        session.add_all(Subscription(member_id=number, publication="weekly", since=MOMENT) for number in ids)
        mailing = Mailing(
            **(
                {
                    "key": KEY,
                    "publication": "weekly",
                    "letter": "note",
                    "state": MailingState.PLANNED,
                    "content": '{"title": "Veckan"}',
                    "plan": 1,
                    "candidates": len(ids),
                    "created_at": MOMENT,
                }
                | values
            )
        )
        session.add(mailing)
        session.flush()
        assert mailing.id is not None
        number = mailing.id
        session.add(Piece(mailing_id=number, ref=7, content='{"title": "Ny park"}'))
        variant = Variant(mailing_id=number, plan=1, language="en", content='{"piece": 7}')
        session.add(variant)
        session.flush()
        ids.sort(key=lambda each: (leads.get(each, each), each))
        deliveries = [
            Delivery(mailing_id=number, plan=1, member_id=each, household=leads.get(each), variant_id=variant.id or 0)
            for each in ids
        ]
        session.add_all(deliveries)
        session.flush()
        numbers = sorted(delivery.id or 0 for delivery in deliveries)
        for start in range(0, len(numbers), batch):
            some = numbers[start : start + batch]
            session.add(Batch(mailing_id=number, plan=1, lo=some[0], hi=some[-1], due_at=MOMENT))
        return number


def deliveries(engine: sa.Engine) -> dict[int, Delivery]:
    """Return every delivery by its member."""
    with db.reading(engine) as session:
        found = {row.member_id: row for row in session.scalars(sa.select(Delivery).order_by(Delivery.id))}
        session.expunge_all()
        return found


def states(engine: sa.Engine) -> dict[int, DeliveryState]:
    return {member: delivery.state for member, delivery in deliveries(engine).items()}


def the_mailing(engine: sa.Engine) -> Mailing:
    with db.reading(engine) as session:
        found = session.scalars(sa.select(Mailing)).one()
        session.expunge_all()
        return found


def has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


class LoggingProvider:
    """Accepts everything, and appends each recipient to a file: that line is the irrevocable one.

    peers  files of others like it: nothing is answered until each of them has accepted something too
    """

    def __init__(self, path: Path, peers: Sequence[Path] = ()) -> None:
        self._file = path.open("ab", buffering=0)
        self._peers = peers

    async def carry(self, desk: Desk) -> None:
        while (outgoing := desk.take()) is not None:
            await asyncio.sleep(0.0005)
            if not desk.start([outgoing]):
                desk.give_back(outgoing)
                continue
            self._file.write(outgoing.message.recipient.encode() + b"\n")
            await asyncio.sleep(0.0005)  # an answer takes its time: whoever is killed here does not hear it
            while not all(has_content(peer) for peer in self._peers):  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(TICK)
            self._peers = ()
            desk.settle(outgoing, Receipt("250 Ok"))

    async def close(self) -> None:
        self._file.close()


def main(folder: Path, database: str, *others: Path) -> None:
    """Work in `folder` until SIGTERM."""
    peers = [other / "accepted" for other in others]
    work_until_told(folder, database, LoggingProvider(folder / "accepted", peers))


def work_until_told(folder: Path, database: str, provider: Provider, pace: Pace = UNLIMITED) -> None:
    """Be a worker with its journal in `folder`, until SIGTERM."""
    sealed.unlock(KEYS)
    office = an_office(db.open_engine(database), folder / "journal", provider, now=system_clock, pace=pace)

    async def work() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await run(office, stop)

    asyncio.run(work())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:]))
