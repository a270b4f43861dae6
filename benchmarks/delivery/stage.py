"""An installation with members and one approved digest, planned and batched: what `make bench-delivery` sends.

The members are invented, their names and addresses sealed as in real use; the digest is the shipped template's, in
VARIANTS contents of about 31 kB.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from mailer import db, keys, signing
from mailer.app import App, Places
from mailer.digest.contents import compact
from mailer.message.dkim import Signer
from mailer.outbox import enqueue
from mailer.outbox.carriers import Carrier
from mailer.outbox.models import Home, Mailing, MailingState
from mailer.outbox.running import drain
from mailer.providers import Desk
from mailer.resources import resource
from subscribers import sealed
from subscribers.models import Ground, Member, State, Subscription

NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)  # a Thursday, 08:00 in Stockholm
Watcher = Callable[[str], AbstractContextManager[object]]  # of a part of the work, told the database
VARIANTS = 300
DKIM_KEY = "dkim.pem"
_DKIM = f'\n[dkim."nyhet.example.org"]\nselector = "bench"\nkey = "{DKIM_KEY}"\n'
_ITEMS = 60
_ITEMS_A_LETTER = 8
_CHUNK = 10_000

_GIVEN = (
    "Anna",
    "Åsa",
    "Björn",
    "Carl-Johan",
    "Elsa",
    "Fatima",
    "Göran",
    "Hans",
    "Ingrid",
    "Jürgen",
    "Karin",
    "Łukasz",
)
_FAMILY = ("Andersson", "Bergström", "Dahl", "Ekström", "Haddad", "Holm", "Lindqvist", "Nyström", "Öberg", "Sjö")
_TEXT = (
    "kommunen fullmäktige beslutade på tisdagen att den nya cykelbanan längs Hornsgatan ska vara färdig före sommaren "
    "och de boende kan lämna synpunkter till den sista mars dessutom satsar staden på större grönområden i stadsdelen"
)
_WORDS = _TEXT.split()


@dataclass(frozen=True)
class Installation:
    """Where a worker finds everything. `database` is a SQLAlchemy URL; `signs` says whether letters get DKIM."""

    folder: Path
    database: str
    signs: bool = False

    def signing(self) -> "Installation":
        """The same, its letters signed."""
        return replace(self, signs=True)

    def app(self, *, port: int = 0, connections: int = 5) -> App:
        """Open it as `utskick` does, with a mail server in clear text on the loopback."""
        places = Places(
            self.folder / ("signing.toml" if self.signs else "config.toml"),
            self.folder / "data",
            self.folder / "keys.toml",
        )
        smtp = {"HOST": "127.0.0.1", "PORT": str(port or 25), "SECURITY": "none", "CONNECTIONS": str(connections)}
        smtp["MESSAGES_PER_CONNECTION"] = "1000000"  # smtp-source keeps its connections to the end too
        environ = {f"UTSKICK_PROVIDERS__SMTP__{name}": value for name, value in smtp.items()}
        return App.load(places, environ | {"UTSKICK_DATABASE": self.database})

    def signer(self) -> Signer:
        return signing.open_signer(self.app().settings.dkim, self.folder)


def build(
    folder: Path, database: str, recipients: int, while_planning: Watcher = lambda _: nullcontext()
) -> Installation:
    """Make an installation in `folder` with one planned mailing to `recipients` members; its database is empty yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "keys.toml").exists():
        config = resource("config.toml").read_text(encoding="utf-8")
        (folder / "config.toml").write_text(config, encoding="utf-8")
        (folder / "signing.toml").write_text(config + _DKIM, encoding="utf-8")
        keys.create(folder / "keys.toml")
        signing.create(folder / DKIM_KEY)
    installation = Installation(folder, database)
    app = installation.app()
    app.prepare()
    sealed.unlock(app.keyring.register)
    add_members(app.bare_engine, recipients)
    with while_planning(database):
        plan_digest(app.bare_engine, recipients)
    with db.writing(app.bare_engine) as session:
        session.execute(sa.delete(Home))  # each copy is at home where it lies, and is none that was put back
    app.bare_engine.dispose()
    return installation


def sample(installation: Installation) -> bytes:
    """Return the first letter as it goes over the wire. Its batch stays leased: ask a copy."""
    app = installation.app()
    office = replace(app.office(), carriers=[Carrier("sample", _Sampler())])
    try:
        asyncio.run(drain(office))
    except _SampledError as sampled:
        return sampled.letter
    finally:
        app.engine.dispose()
    raise SystemExit("there was no letter to look at")


class _SampledError(Exception):
    """One letter is enough. Not ProviderDown, of which a worker would tell."""

    def __init__(self, letter: bytes) -> None:
        super().__init__()
        self.letter = letter


class _Sampler:
    """Looks at one letter and gives it back (mailer.providers.Provider)."""

    async def carry(self, desk: Desk) -> None:
        outgoing = desk.take()
        if outgoing is not None:
            desk.give_back(outgoing)
            raise _SampledError(outgoing.message.content)

    async def close(self) -> None: ...


def add_members(engine: sa.Engine, count: int) -> None:
    """Add members 1..count, each with a sealed name and address and a subscription."""
    for start in range(1, count + 1, _CHUNK):
        numbers = range(start, min(start + _CHUNK, count + 1))
        with db.writing(engine) as session:
            connection = session.connection()
            connection.execute(sa.insert(Member), [_member(number) for number in numbers])
            connection.execute(
                sa.insert(Subscription),
                [
                    {"member_id": number, "publication": "weekly", "cadence": "weekly", "since": NOW}
                    for number in numbers
                ],
            )


def plan_digest(engine: sa.Engine, recipients: int) -> int:
    """Plan and batch one digest to members 1..recipients; returns how many deliveries it has."""
    mailing = Mailing(
        key="weekly:2026-W48",
        publication="weekly",
        letter="digest",
        state=MailingState.APPROVED,
        created_at=NOW,
        send_at=NOW,
    )
    with db.writing(engine) as session:
        number = enqueue.open_mailing(session, mailing)
    assert number is not None
    return enqueue.write_plan(enqueue.begin(engine, number), digest(recipients), now=NOW)


def digest(recipients: int) -> enqueue.Plan:
    """A digest in VARIANTS contents, each to every VARIANTS-th member."""
    draw = random.Random(1)
    pieces = tuple(compact(_piece(draw, number)) for number in range(1, _ITEMS + 1))
    content = compact(
        {
            "edition": "2026-W48",
            "subject": "",
            "intro": _sentence(draw, 50),
            "correction": "",
            "names": {"district": {"bromma": "Bromma"}, "topic": {}},
        }
    )
    readerships = [
        enqueue.Readership(
            enqueue.Content("sv", plain_only=False, content=_variant(draw)),
            [flat for member in range(1 + variant, recipients + 1, VARIANTS) for flat in (member, 0)],
        )
        for variant in range(VARIANTS)
    ]
    return enqueue.Plan(content, pieces, [readership for readership in readerships if readership.members])


def _member(number: int) -> dict[str, object]:
    address = f"member{number}@example.org"
    return {
        "id": number,
        "address": address,
        "address_key": sealed.lookup_key("address", address),
        "given_name": _GIVEN[number % len(_GIVEN)],
        "family_name": _FAMILY[number % len(_FAMILY)],
        "language": "sv",
        "plain_only": False,
        "state": State.ACTIVE,
        "ground": Ground.MEMBER,
        "created_at": NOW,
        "changed_at": NOW,
    }


def _variant(draw: random.Random) -> str:
    items = draw.sample(range(1, _ITEMS + 1), _ITEMS_A_LETTER)
    near, rest = items[:5], items[5:]
    sections = [
        {"heading": "district:bromma", "items": [[ref, "district:bromma"] for ref in near]},
        {"heading": "everyone", "items": [[ref, "everyone"] for ref in rest]},
    ]
    return compact({"sections": sections, "letterhead": None})


def _piece(draw: random.Random, number: int) -> dict[str, object]:
    text = _sentence(draw, 38)
    return {
        "item": number,
        "title": _sentence(draw, 7).removesuffix("."),
        "paragraphs": [text],
        "teaser": text,
        "url": f"https://nyhet.example.org/artiklar/2026/48/{number}-{draw.getrandbits(40):x}",
        "source_name": "Stadsdelsnytt",
        "published": (NOW - timedelta(days=draw.randint(0, 6))).date().isoformat(),
        "image": None,
        "important": False,
    }


def _sentence(draw: random.Random, words: int) -> str:
    return " ".join(_words(draw, words)).capitalize() + "."


def _words(draw: random.Random, count: int) -> Iterator[str]:
    return (draw.choice(_WORDS) for _ in range(count))
