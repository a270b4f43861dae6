"""Valid things by default; a test says only what matters to it."""

from datetime import UTC, datetime

from mailer import config
from mailer.config import Settings
from mailer.config.news import Source
from mailer.news.models import NewsItem
from mailer.resources import resource
from subscribers.models import Cadence, District, DistrictKind, Member, State, Topic
from subscribers.reader import Reader
from subscribers.sealed import Keys, lookup_key

KEYS = Keys(seal={1: bytes(range(32))}, seal_with=1, lookup=bytes(range(32, 64)))
MOMENT = datetime(2024, 3, 4, 11, 0, tzinfo=UTC)


def a_member(address: str | None = "anna@example.org", **values: object) -> Member:
    values.setdefault("given_name", "Anna")
    values.setdefault("state", State.ACTIVE)
    number = values.get("number")
    return Member(
        address=address,
        address_key=lookup_key("address", address) if address else None,
        number_key=lookup_key("number", str(number)) if number else None,
        created_at=MOMENT,
        changed_at=MOMENT,
        **values,
    )


def a_reader(member_id: int = 1, **values: object) -> Reader:
    defaults: dict[str, object] = {
        "household": (member_id,),
        "language": "sv",
        "plain_only": False,
        "districts": frozenset(),
        "topics": frozenset(),
        "cadence": Cadence.WEEKLY,
        "since": datetime(2020, 1, 1, tzinfo=UTC),
    }
    return Reader(member_id=member_id, **(defaults | values))  # type: ignore[arg-type]  # values are the test's own


def a_news_item(title: str = "Ny cykelbana", **values: object) -> NewsItem:
    defaults: dict[str, object] = {
        "source": "example",
        "guid": title,
        "body": "Den byggs i år.",
        "published_at": MOMENT,
        "fetched_at": MOMENT,
        "fingerprint": "0" * 64,
    }
    return NewsItem(title=title, **(defaults | values))


def some_settings() -> Settings:
    """The sample config, as it ships, with one source."""
    settings = config.load(resource("config.toml"), {})
    return settings.model_copy(update={"sources": {"distriktet": Source(url="https://example.org/feed")}})


def a_district(slug: str = "bromma", name: str = "Bromma") -> District:
    return District(slug=slug, name=name, kind=DistrictKind.CITY_DISTRICT)


def a_topic(slug: str = "skola", name: str = "Skola", name_en: str = "School") -> Topic:
    return Topic(slug=slug, name=name, name_en=name_en)
