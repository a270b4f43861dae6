"""A city with events: members who want to hear of them, a rally, and a clock that is rung."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from mailer import config, db
from mailer.config import Settings
from mailer.config.publications import Publication
from mailer.events import answers, book
from mailer.events.attendance import Answer, Wish
from mailer.outbox import control
from mailer.outbox.batches import Terms
from mailer.outbox.models import Delivery, DeliveryState, Mailing, MailingState, Piece, Variant
from mailer.reminders.keeping import keep
from mailer.reminders.models import Reminder
from mailer.reminders.plan import Planned, Planner
from mailer.resources import resource
from tests.builders import a_news_item
from tests.mailer.digest.conftest import LINKS, City

ZONE = "Europe/Stockholm"


def at(wall: str) -> datetime:
    """Return a moment by Stockholm's clock in 2027: "04-17 18:00"."""
    return datetime.fromisoformat(f"2027-{wall}").replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


class Rally(City):
    """The database of one test, with what is asked about events in one line each."""

    lease = timedelta(minutes=5)
    by: str | None = None  # the operator who writes events

    def reader(self, districts: str = "", **values: object) -> int:
        return self.member(districts, **({"publication": "events", "since": at("01-01 00:00")} | values))

    def event(self, **said: object) -> int:
        table = {
            "title": "Första maj",
            "starts": "2027-05-01 13:00",
            "ends": "2027-05-01 16:00",
            "place": "Norra Bantorget",
        }
        with db.writing(self.engine) as session:
            now = at("01-02 12:00")
            event = book.add(session, table | said, zone=ZONE, host="example.org", by=self.by, now=now)
            return event.id or 0

    def edit(self, now: datetime, event: int = 1, **said: object) -> None:
        with db.writing(self.engine) as session:
            book.edit(session, book.find_event(session, str(event)), said, by=self.by, now=now)

    def cancel(self, now: datetime, *, off: bool = False) -> None:
        with db.writing(self.engine) as session:
            book.cancel(session, book.find_event(session, "1"), off=off, by=self.by, now=now)

    def ring(self, now: datetime, digest: datetime | None = None) -> list[Planned]:
        planner = Planner(self.engine, self.settings, LINKS, now)
        return keep(planner, lambda _: [digest] if digest else [], Terms(self.lease))

    def ring_through(self, begin: datetime, end: datetime) -> list[str]:
        """Ring each half hour, or in a long time at 8 and 18 only; every letter is sent at once.

        Returns the keys of what was planned for anybody.
        """
        minutes = range(0, int((end - begin).total_seconds()) // 60 + 1, 30)
        moments = [begin + timedelta(minutes=minute) for minute in minutes]
        if end - begin > timedelta(days=1):
            local = begin.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0)
            hours = [local + timedelta(days=day, hours=hour) for day in range(60) for hour in (8, 18)]
            moments = [begin, *(hour.astimezone(UTC) for hour in hours if begin < hour <= end)]
        keys = []
        for moment in moments:
            keys += [planned.key for planned in self.ring(moment) if planned.candidates]
            self.send_all()
        return keys

    def send_all(self, members: tuple[int, ...] | None = None, key: str | None = None) -> None:
        """Let the outbox send what waits: all, or to some members and of one mailing."""
        with db.writing(self.engine) as session:
            query = select(Delivery, Mailing).join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
            for delivery, mailing in session.exec(query.where(Delivery.state == DeliveryState.QUEUED)):
                going = mailing.state is MailingState.PLANNED and key in {None, mailing.key}
                if going and (members is None or delivery.member_id in members):
                    delivery.state = DeliveryState.SENT
                    mailing.started_at = mailing.started_at or mailing.send_at
            session.flush()
            waiting = select(Delivery.mailing_id).where(Delivery.state == DeliveryState.QUEUED)
            over = select(Mailing).where(Mailing.state == MailingState.PLANNED, col(Mailing.id).not_in(waiting))
            for mailing in session.exec(over):
                mailing.state = MailingState.DONE

    def digest_sent(self, now: datetime) -> str:
        """Send a digest of that week with the event in it, to those who read the weekly letter."""
        with db.writing(self.engine) as session:
            session.add(a_news_item(f"Nyhet {now:%j}", published_at=now - timedelta(days=1)))
        key = self.send(now).key
        self.send_all(key=key)
        with db.writing(self.engine) as session:
            session.exec(select(Mailing).where(Mailing.key == key)).one().started_at = now
        return key

    def without_publication(self) -> None:
        """Let the config name no publication for letters about events."""
        events = self.settings.events.model_copy(update={"publication": ""})
        self.settings = self.settings.model_copy(update={"events": events})

    def letters(self, key: str, state: DeliveryState | None = None) -> dict[int, str]:
        """Return who has a delivery of a mailing -> the folder of their letter."""
        query = (
            select(Delivery.member_id, Variant.content, Delivery.state)
            .join(Mailing, (col(Mailing.id) == col(Delivery.mailing_id)) & (col(Mailing.plan) == col(Delivery.plan)))
            .join(Variant, col(Variant.id) == col(Delivery.variant_id))
            .where(Mailing.key == key)
        )
        with db.reading(self.engine) as session:
            return {who: json_of(said)["template"] for who, said, now in session.exec(query) if state in {None, now}}

    def told_place(self, key: str) -> Mapping[int, str]:
        """Return member -> the place that their letter names."""
        query = (
            select(Delivery.member_id, Variant.content, Variant.mailing_id)
            .join(Variant, col(Variant.id) == col(Delivery.variant_id))
            .join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
            .where(Mailing.key == key)
        )
        with db.reading(self.engine) as session:
            found = {}
            for who, said, mailing in session.exec(query).all():
                piece = session.get_one(Piece, (mailing, json_of(said)["event"]))
                found[who] = json_of(piece.content)["details"]["place"]
            return found

    def mailing(self, key: str) -> Mailing:
        with db.reading(self.engine) as session:
            found = session.exec(select(Mailing).where(Mailing.key == key)).one()
            session.expunge(found)
            return found

    def mailings(self) -> list[str]:
        with db.reading(self.engine) as session:
            return list(session.exec(select(Mailing.key).order_by(col(Mailing.id))))

    def answer(self, member: int, said: Answer, event: int = 1) -> None:
        with db.writing(self.engine) as session:
            found = book.find_event(session, str(event))
            answers.give(session, found, member, Wish(said), now=at("04-10 12:00"))

    def left_out(self, key: str) -> dict[str, Any]:
        with db.reading(self.engine) as session:
            of_step = select(Reminder.left_out).join(Mailing, col(Mailing.id) == col(Reminder.mailing_id))
            return json_of(session.exec(of_step.where(Mailing.key == key)).one())

    def sweep(self, now: datetime) -> None:
        """Cancel what waits of cancelled mailings, as workers do."""
        with db.writing(self.engine) as session:
            while control.cancel_some(session.connection(), now=now):
                pass


def json_of(content: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(content)
    return read


def with_calendar() -> Settings:
    """Return the sample config with a publication for events."""
    settings = config.load(resource("config.toml"), {})
    events = settings.events.model_copy(update={"publication": "events"})
    calendar = settings.publications["weekly"].model_copy(update={"name": {"sv": "Kalendern", "en": "The calendar"}})
    publications: dict[str, Publication] = settings.publications | {"events": calendar}
    return settings.model_copy(update={"events": events, "publications": publications})


@pytest.fixture
def settings() -> Settings:
    return with_calendar()


@pytest.fixture
def rally(engine: sa.Engine, settings: Settings) -> Rally:
    return Rally(engine, settings)
