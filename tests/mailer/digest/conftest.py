"""A small city: places, topics, settings, links, and a way to write members and news in one line each."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from mailer import config, db
from mailer.config import Settings
from mailer.digest import editions
from mailer.digest.models import Edition
from mailer.digest.sending import Planned, Press, send_now
from mailer.links import Links, Tokens
from mailer.news.models import NewsItem, NewsTag, TagKind
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState, Variant, VariantStory
from mailer.resources import resource
from subscribers.models import (
    District,
    DistrictKind,
    MemberDistrict,
    MemberTopic,
    Subscription,
    Topic,
)
from tests.builders import MOMENT, a_member, a_news_item

PLACES = {"stockholm": None, "bromma": "stockholm", "farsta": "stockholm", "kista": "stockholm"}
TOPICS = ("school", "care")
LINKS = Links("https://news.example.org", Tokens({"a": bytes(32)}, "a"))


class City:
    """The database of one test. Every step is a transaction of its own, as in the program."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        with db.writing(engine) as session:
            ids: dict[str, int] = {}
            for slug, parent in PLACES.items():
                kind = DistrictKind.CITY_DISTRICT if parent else DistrictKind.MUNICIPALITY
                place = District(slug=slug, name=slug.title(), kind=kind, parent_id=ids[parent] if parent else None)
                session.add(place)
                session.flush()
                ids[slug] = place.id or 0
            session.add_all(Topic(slug=slug, name=f"Om {slug}", name_en=slug.title()) for slug in TOPICS)

    def member(self, districts: str = "", topics: str = "", address: str = "", **values: object) -> int:
        with db.writing(self.engine) as session:
            number = session.exec(select(sa.func.count(col(Subscription.member_id)))).one()
            about = {name: values.pop(name) for name in ("language", "plain_only", "state") if name in values}
            member = a_member(address or f"member{number}@example.org", **about)
            session.add(member)
            session.flush()
            subscription = {"publication": "weekly", "since": MOMENT - timedelta(days=400)} | values
            session.add(Subscription(member_id=member.id, **subscription))
            for slug in districts.split():
                place = session.exec(select(District).where(District.slug == slug)).one()
                session.add(MemberDistrict(member_id=member.id or 0, district_id=place.id or 0))
            for slug in topics.split():
                topic = session.exec(select(Topic).where(Topic.slug == slug)).one()
                session.add(MemberTopic(member_id=member.id or 0, topic_id=topic.id or 0))
            return member.id or 0

    def news(self, title: str, districts: str = "", topics: str = "", **values: object) -> int:
        with db.writing(self.engine) as session:
            item = a_news_item(title, **({"published_at": MOMENT - timedelta(days=1)} | values))
            session.add(item)
            session.flush()
            tags = [(TagKind.DISTRICT, slug) for slug in districts.split()]
            tags += [(TagKind.TOPIC, slug) for slug in topics.split()]
            session.add_all(NewsTag(item_id=item.id or 0, kind=kind, slug=slug) for kind, slug in tags)
            return item.id or 0

    def change(self, item: int, **values: object) -> None:
        with db.writing(self.engine) as session:
            row = session.get_one(NewsItem, item)
            for name, value in values.items():
                setattr(row, name, value)

    def approved(self, now: datetime = MOMENT) -> int:
        """Draft and approve this week's edition."""
        with db.writing(self.engine) as session:
            edition = editions.draft(session, self.settings, "weekly", now)
            assert edition is not None
            editions.approve(session, edition, who="test", now=now)
            return edition.id or 0

    def send(self, now: datetime = MOMENT) -> Planned:
        return send_now(Press(self.engine, self.settings, LINKS), self.approved(now), now)

    def settle(self, state: DeliveryState = DeliveryState.SENT, members: tuple[int, ...] | None = None) -> None:
        """Let the outbox have done its work."""
        with db.writing(self.engine) as session:
            for delivery in session.exec(select(Delivery).where(Delivery.state == DeliveryState.QUEUED)):
                if members is None or delivery.member_id in members:
                    delivery.state = state
            if members is None:
                for mailing in session.exec(select(Mailing).where(Mailing.state == MailingState.PLANNED)):
                    mailing.state = MailingState.DONE

    def edition(self, number: int = 1) -> Edition:
        with db.reading(self.engine) as session:
            edition = session.get_one(Edition, number)
            session.expunge(edition)
            return edition

    def told(self, key: str) -> dict[int, set[int]]:
        """Return what each member was told in a mailing: member -> story ids."""
        with db.reading(self.engine) as session:
            rows = session.exec(
                select(Delivery.member_id, VariantStory.story_id)
                .join(
                    Mailing, (col(Mailing.id) == col(Delivery.mailing_id)) & (col(Mailing.plan) == col(Delivery.plan))
                )
                .join(Variant, col(Variant.id) == col(Delivery.variant_id))
                .join(VariantStory, col(VariantStory.variant_id) == col(Variant.id))
                .where(Mailing.key == key)
            )
            found: dict[int, set[int]] = {}
            for member, story in rows:
                found.setdefault(member, set()).add(story)
            return found

    def titles(self, mailing: int, content: str) -> list[str]:
        """Return the titles that a variant's content tells, in their order."""
        rows = self.rows(f"SELECT ref, content FROM piece WHERE mailing_id = {mailing}")  # noqa: S608  our own number
        pieces = {ref: json.loads(str(piece))["title"] for ref, piece in rows}
        return [str(pieces[ref]) for section in json.loads(content)["sections"] for ref, _ in section["items"]]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with db.reading(self.engine) as session:
            return [tuple(row) for row in session.connection().exec_driver_sql(query)]


@pytest.fixture
def settings() -> Settings:
    return config.load(resource("config.toml"), {})


@pytest.fixture
def city(engine: sa.Engine, settings: Settings) -> City:
    return City(engine, settings)


@pytest.fixture
def with_digest(settings: Settings) -> Callable[..., Settings]:
    """Return the settings with some keys of [digest] changed."""

    def changed(**keys: object) -> Settings:
        return settings.model_copy(update={"digest": settings.digest.model_copy(update=keys)})

    return changed
