from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from subscribers.audience import allowed, pages
from subscribers.models import (
    District,
    DistrictKind,
    Member,
    MemberDistrict,
    MemberTopic,
    Scope,
    State,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.reader import Cadence, Reader
from subscribers.sealed import lookup_key
from tests.builders import a_member, a_reader

SINCE = datetime(2023, 1, 1, tzinfo=UTC)


def enrol(session: Session, member: Member | None = None, **subscription: object) -> int:
    member = member or a_member(f"member{session.scalar(sa.func.count(Member.id))}@example.org")
    session.add(member)
    session.flush()
    session.add(Subscription(**({"publication": "weekly", "since": SINCE} | subscription), member_id=member.id))
    session.flush()
    assert member.id is not None
    return member.id


def choose(session: Session, member: int, districts: tuple[int, ...] = (), topics: tuple[int, ...] = ()) -> None:
    session.add_all(MemberDistrict(member_id=member, district_id=number) for number in districts)
    session.add_all(MemberTopic(member_id=member, topic_id=number) for number in topics)
    session.flush()


@pytest.fixture(autouse=True)
def _reference(session: Session) -> None:
    session.add_all(
        District(id=number, slug=slug, name=slug, kind=DistrictKind.CITY_DISTRICT)
        for number, slug in ((1, "bromma"), (2, "kista"), (13, "farsta"))
    )
    session.add_all(
        Topic(id=number, slug=slug, name=slug, name_en=slug) for number, slug in ((1, "skola"), (3, "vard"))
    )
    session.flush()


def readers(session: Session, now: datetime, size: int = 100) -> list[Reader]:
    return [r for page in pages(session.connection(), publication="weekly", now=now, size=size) for r in page]


def test_a_reader_carries_the_choices_and_nothing_that_names_a_person(session: Session, now: datetime):
    member = enrol(session, a_member(language="en", plain_only=True), cadence=Cadence.MONTHLY)
    choose(session, member, districts=(13, 1), topics=(3,))

    assert readers(session, now) == [
        a_reader(
            member,
            language="en",
            plain_only=True,
            districts=frozenset({"farsta", "bromma"}),
            topics=frozenset({"vard"}),
            cadence=Cadence.MONTHLY,
            since=SINCE,
        )
    ]


@pytest.mark.parametrize(
    "member",
    [
        {"state": State.PENDING},
        {"state": State.LEFT},
        {"state": State.ERASED},
        {"address": None},
    ],
    ids=str,
)
def test_only_an_active_member_with_an_address_may_be_written_to(session: Session, now: datetime, member: dict):
    number = enrol(session, a_member(**member))

    assert readers(session, now) == []
    assert allowed(session.connection(), publication="weekly", member_ids=[number], now=now) == set()


def test_a_subscription_that_ended_or_is_to_something_else_does_not_count(session: Session, now: datetime):
    enrol(session, ended_at=SINCE)
    enrol(session, publication="events")

    assert readers(session, now) == []


@pytest.mark.parametrize(("until", "written_to"), [(date(2024, 3, 4), True), (date(2024, 3, 5), False)])
def test_a_pause_ends_on_the_morning_of_its_date(session: Session, now: datetime, until: date, written_to: bool):  # noqa: FBT001  a row of the table
    member = enrol(session, paused_until=until)

    assert [reader.member_id for reader in readers(session, now)] == [member] * written_to
    assert allowed(session.connection(), publication="weekly", member_ids=[member], now=now) == (
        {member} if written_to else set()
    )


@pytest.mark.parametrize("scope", list(Scope))
def test_a_suppressed_address_is_silent_in_either_scope(session: Session, now: datetime, scope: Scope):
    key = lookup_key("address", "gone@example.org")
    enrol(session, a_member("gone@example.org"))
    session.add(Suppression(address_key=key, scope=scope, reason="asked", at=SINCE))
    session.flush()

    assert readers(session, now) == []


def test_people_of_one_address_share_a_mail_with_what_either_chose(session: Session, now: datetime):
    anna = enrol(session, a_member("home@example.org", language="en"), cadence=Cadence.MONTHLY)
    between = enrol(session)
    bo = enrol(session, a_member("home@example.org"), since=SINCE - timedelta(days=9))
    choose(session, anna, districts=(1,), topics=(1,))
    choose(session, bo, districts=(2,), topics=(3,))

    first, second = readers(session, now)

    assert (first.household, second.household) == ((anna, bo), (between,))
    assert first.language == "en"
    assert (first.districts, first.topics) == ({"bromma", "kista"}, {"skola", "vard"})
    assert (first.cadence, first.since) == (Cadence.WEEKLY, SINCE - timedelta(days=9))


def test_one_of_a_home_who_wants_all_topics_makes_it_all(session: Session, now: datetime):
    anna, _bo = (enrol(session, a_member("home@example.org")) for _ in range(2))
    choose(session, anna, topics=(1,))

    assert [reader.topics for reader in readers(session, now)] == [frozenset()]


def test_who_left_is_no_longer_of_the_household(session: Session, now: datetime):
    enrol(session, a_member("home@example.org"), ended_at=SINCE)
    bo = enrol(session, a_member("home@example.org"))

    assert [reader.household for reader in readers(session, now)] == [(bo,)]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_pages_hold_the_same_readers_whatever_their_size(session: Session, now: datetime, size: int):
    for number in range(6):
        choose(session, enrol(session, a_member(f"home{number % 4}@example.org")), districts=(1,))

    assert readers(session, now, size) == readers(session, now)


def test_the_rule_at_send_time_agrees_with_the_pages(session: Session, now: datetime):
    numbers = [
        enrol(session),
        enrol(session, paused_until=date(2030, 1, 1)),
        enrol(session, a_member("b@example.org", state=State.LEFT)),
        enrol(session, a_member("home@example.org")),
        enrol(session, a_member("home@example.org")),
    ]

    written_to = {number for reader in readers(session, now) for number in reader.household}

    assert allowed(session.connection(), publication="weekly", member_ids=numbers, now=now) == written_to
    assert written_to == {numbers[0], *numbers[3:]}


def test_a_page_is_read_in_a_fixed_number_of_statements(session: Session, engine: sa.Engine, now: datetime):
    for number in range(40):
        enrol(session, a_member(f"home{number // 2}@example.org"))
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    readers(session, now)

    assert len(asked) == 2 + 2 + 1  # the two reference lists, the page and its homes, the empty page after it
