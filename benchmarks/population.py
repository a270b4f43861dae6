"""Invented members and news for measuring: the same ones for the same seed. Written with plain SQL, for speed.

75, 18 and 7 % chose one, two and three of 14 districts, the near ones oftener (Zipf); 40 % no topics, the others
one to five of 20; 80 % weekly, the rest monthly; 3 % share an address; 2 % are paused, 1 % suppressed.
"""

import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

DISTRICTS = 14
TOPICS = 20
_ITEMS_A_WEEK = 25
_CHUNK = 20_000

_NEAR = list(accumulate(1 / place for place in range(1, DISTRICTS + 1)))
_LIKED = list(accumulate(1 / place for place in range(1, TOPICS + 1)))


def add_reference_lists(path: Path) -> None:
    """Give a fresh database its districts and topics, and nobody."""
    with sqlite3.connect(path) as database:
        _reference(database)
    database.close()


def register_file(members: int, week: int, seed: int = 1) -> bytes:
    """Return a CSV file as a register exports it. In a week after the first, 3 % have another district."""
    draw, changes = random.Random(seed), random.Random(week)
    lines = ["Medlemsnummer;Förnamn;Efternamn;E-post;Stadsdel;Ämnen"]
    for number in range(1, members + 1):
        place = draw.choices(range(1, DISTRICTS + 1), cum_weights=_NEAR)[0]
        if week and changes.random() < 0.03:
            place = place % DISTRICTS + 1
        liked = draw.choices(range(1, TOPICS + 1), cum_weights=_LIKED, k=draw.randint(0, 3))
        topics = ", ".join(f"Topic {topic}" for topic in sorted(set(liked)))
        who = f"{number};Given{draw.randint(1, 900)};Family{draw.randint(1, 9000)};member{number}@example.org"
        lines.append(f"{who};District {place};{topics}")
    return "\r\n".join(lines).encode("cp1252")


def populate(path: Path, members: int, now: datetime, seed: int = 1) -> None:
    """Fill a fresh database with the reference lists and `members` members who joined over the past two years."""
    draw = random.Random(seed)
    with sqlite3.connect(path) as database:
        _reference(database)
        for some in _portions(members):
            database.executemany(
                "INSERT INTO member (id, address, address_key, language, plain_only, state, ground, created_at,"
                " changed_at) VALUES (?, x'01', ?, ?, ?, 'active', 'member', ?, ?)",
                (_member(number, draw, now) for number in some),
            )
            database.executemany(
                "INSERT INTO subscription (member_id, publication, cadence, paused_until, since)"
                " VALUES (?, 'weekly', ?, ?, ?)",
                (_subscription(number, draw, now) for number in some),
            )
            for number in some:
                _choose(database, number, draw)
        database.execute(
            "INSERT INTO suppression (address_key, scope, reason, at) SELECT DISTINCT address_key, 'bulk',"
            " 'complaint', created_at FROM member WHERE id % 100 = 7"
        )
    database.close()


def a_week_passes(path: Path, members: int, now: datetime, week: int) -> None:
    """3 % choose anew, some pause, the news of the week comes in, and what was queued has been sent."""
    draw = random.Random(week)
    with sqlite3.connect(path) as database:
        for number in draw.sample(range(1, members + 1), members * 3 // 100):
            database.execute("DELETE FROM member_district WHERE member_id = ?", (number,))
            database.execute("DELETE FROM member_topic WHERE member_id = ?", (number,))
            _choose(database, number, draw)
        for number in draw.sample(range(1, members + 1), members // 100):
            until = (now + timedelta(weeks=draw.randint(1, 4))).date().isoformat()
            database.execute("UPDATE subscription SET paused_until = ? WHERE member_id = ?", (until, number))
        _news(database, draw, now, week)
        # One in 200 fails: what did not arrive may be told again.
        database.execute("UPDATE delivery SET state = iif(id % 200, 'sent', 'failed') WHERE state = 'queued'")
        database.execute("UPDATE batch SET state = 'closed'")
        database.execute("UPDATE mailing SET state = 'done' WHERE state = 'planned'")
    database.close()


def _reference(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO district (id, slug, name, kind) VALUES (100, 'county', 'County', 'county')")
    database.execute(
        "INSERT INTO district (id, slug, name, kind, parent_id) VALUES (101, 'city', 'City', 'municipality', 100)"
    )
    for number in range(1, DISTRICTS + 1):
        row = (number, f"district-{number}", f"District {number}", "city district", 101)
        database.execute("INSERT INTO district (id, slug, name, kind, parent_id) VALUES (?, ?, ?, ?, ?)", row)
    for number in range(1, TOPICS + 1):
        row = (number, f"topic-{number}", f"Topic {number}", f"Topic {number}")
        database.execute("INSERT INTO topic (id, slug, name, name_en) VALUES (?, ?, ?, ?)", row)


def _portions(members: int) -> Iterator[range]:
    return (range(at, min(at + _CHUNK, members + 1)) for at in range(1, members + 1, _CHUNK))


def _member(number: int, draw: random.Random, now: datetime) -> tuple[object, ...]:
    at_home_with = number - draw.randint(1, 5) if number > 5 and draw.random() < 0.03 else number
    key = random.Random(at_home_with).randbytes(32)
    language = "en" if draw.random() < 0.08 else "sv"
    return number, key, language, draw.random() < 0.01, _sql(now), _sql(now)


def _subscription(number: int, draw: random.Random, now: datetime) -> tuple[object, ...]:
    cadence = "weekly" if draw.random() < 0.8 else "monthly"
    pause = (now + timedelta(days=draw.randint(1, 60))).date().isoformat() if draw.random() < 0.02 else None
    return number, cadence, pause, _sql(now - timedelta(days=draw.randint(0, 730)))


def _choose(database: sqlite3.Connection, number: int, draw: random.Random) -> None:
    many = draw.choices((1, 2, 3), (75, 18, 7))[0]
    districts = set(draw.choices(range(1, DISTRICTS + 1), cum_weights=_NEAR, k=many))
    database.executemany("INSERT INTO member_district VALUES (?, ?)", ((number, place) for place in districts))
    if draw.random() < 0.6:
        topics = set(draw.choices(range(1, TOPICS + 1), cum_weights=_LIKED, k=draw.randint(1, 5)))
        database.executemany("INSERT INTO member_topic VALUES (?, ?)", ((number, topic) for topic in topics))


def _news(database: sqlite3.Connection, draw: random.Random, now: datetime, week: int) -> None:
    for number in range(_ITEMS_A_WEEK):
        published = now - timedelta(minutes=draw.randint(1, 7 * 24 * 60))
        item = database.execute(
            "INSERT INTO news_item (source, guid, title, body, language, published_at, fetched_at, important, hidden,"
            " approved, image_alt, locked, fingerprint) VALUES ('bench', ?, ?, ?, 'sv', ?, ?, ?, 0, 1, '', '', '')",
            (f"{week}-{number}", f"News {number} of week {week}", "A paragraph of news. " * 20, _sql(published),
             _sql(now), draw.random() < 0.04),
        ).lastrowid  # fmt: skip
        database.executemany(
            "INSERT INTO news_tag (item_id, kind, slug, reason, locked, removed) VALUES (?, ?, ?, '', 0, 0)",
            ((item, kind, slug) for kind, slug in _tags(draw)),
        )


def _tags(draw: random.Random) -> Iterator[tuple[str, str]]:
    """60 % are of a city district, 15 % of the whole city; two in three have a topic."""
    chance = draw.random()
    if chance < 0.6:
        yield "district", f"district-{draw.randint(1, DISTRICTS)}"
    elif chance < 0.75:
        yield "district", "city"
    if draw.random() < 2 / 3:
        yield "topic", f"topic-{draw.choices(range(1, TOPICS + 1), cum_weights=_LIKED)[0]}"


def _sql(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
