from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.digest.items import SERVED_THIS_MONTH, Item, Occasion
from mailer.digest.reasons import Kind, Reason
from mailer.digest.rules import RULES, Digest, plan_digest, plan_for_all, signature
from subscribers.reader import Cadence, Reader
from tests.builders import a_reader

NOW = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
PARENTS = {"county": None, "stockholm": "county", "botkyrka": "county", "bromma": "stockholm", "farsta": "stockholm"}
OCCASION = Occasion(
    now=NOW,
    fresh_for=timedelta(weeks=3),
    new_member=timedelta(days=7),
    at_least=1,
    per_section=6,
    at_most=14,
    parents=PARENTS,
)


def an_item(number: int, *, days: float = 1, districts: str = "", topics: str = "", **values: object) -> Item:
    return Item(
        id=number,
        bit=values.pop("bit", 2 << number),  # type: ignore[arg-type]  # the test's own
        published_at=NOW - timedelta(days=days),
        districts=frozenset(districts.split()),
        topics=frozenset(topics.split()),
        **values,
    )


def reading(districts: str = "bromma", topics: str = "", **values: object) -> Reader:
    return a_reader(districts=frozenset(districts.split()), topics=frozenset(topics.split()), **values)


def got(items: list[Item], reader: Reader | None = None, had: int = 0, **limits: object) -> list[int]:
    occasion = Occasion(**({name: getattr(OCCASION, name) for name in OCCASION.__slots__} | limits))
    digest = plan_digest(items, reader or reading(), had, occasion)
    return list(digest.items) if digest else []


@pytest.mark.parametrize(
    ("districts", "chosen", "reaches"),
    [
        ("", "bromma", True),
        ("", "", True),
        ("bromma", "bromma", True),
        ("stockholm", "bromma", True),
        ("county", "bromma", True),
        ("bromma", "farsta", False),
        ("bromma", "stockholm", False),
        ("botkyrka", "bromma", False),
        ("bromma farsta", "farsta", True),
        ("botkyrka", "farsta botkyrka", True),
        ("stockholm", "", False),
        ("county", "", True),
    ],
)
def test_news_of_a_place_reaches_those_who_live_there_or_below(districts: str, chosen: str, reaches: bool):  # noqa: FBT001  a row of the table
    assert got([an_item(1, districts=districts)], reading(chosen)) == [1] * reaches


@pytest.mark.parametrize(
    ("topics", "chosen", "reaches"),
    [("", "school", True), ("school", "", True), ("school care", "care", True), ("school", "care", False)],
)
def test_news_of_a_topic_reaches_those_who_chose_it_or_none(topics: str, chosen: str, reaches: bool):  # noqa: FBT001  a row of the table
    assert got([an_item(1, topics=topics)], reading(topics=chosen)) == [1] * reaches


def test_place_and_topic_must_both_hold():
    items = [an_item(1, districts="bromma", topics="care"), an_item(2, districts="farsta", topics="school")]

    assert got(items, reading("bromma", "school")) == []


def test_news_that_has_expired_is_left_out():
    assert got([an_item(1, expires_at=NOW), an_item(2, expires_at=NOW + timedelta(minutes=1))]) == [2]


def test_hidden_and_left_out_news_is_left_out():
    assert got([an_item(1, hidden=True)]) == []


def test_news_older_than_fresh_or_dated_ahead_is_left_out():
    assert got([an_item(1, days=21), an_item(2, days=21.01), an_item(3, days=-0.1)]) == [1]


def test_a_story_told_twice_appears_once_as_its_newest_telling():
    assert got([an_item(1, days=3, bit=2), an_item(2, days=1, bit=2)]) == [2]


def test_the_editor_decides_which_telling_is_shown():
    assert got([an_item(1, days=3, bit=2, lead=True), an_item(2, days=1, bit=2)]) == [1]


def test_a_telling_from_elsewhere_does_not_hide_the_one_near_the_reader():
    assert got([an_item(1, days=3, bit=2, districts="bromma"), an_item(2, bit=2, districts="farsta")]) == [1]


def test_a_story_already_had_is_not_told_again():
    assert got([an_item(1), an_item(2)], had=an_item(1).bit) == [2]


def test_a_new_member_gets_the_last_seven_days():
    items = [an_item(1, days=6.9), an_item(2, days=7.1)]

    assert got(items, reading(since=NOW - timedelta(days=2))) == [1]


def test_the_week_after_a_new_member_is_not_flooded_with_what_was_too_old_before():
    items = [an_item(1, days=13.9), an_item(2, days=14.1)]

    assert got(items, reading(since=NOW - timedelta(days=9))) == [1]


def test_a_monthly_reader_gets_the_best_of_their_month():
    assert got([an_item(1, days=30), an_item(2, days=32)], reading(cadence=Cadence.MONTHLY)) == [1]


def test_a_monthly_reader_is_written_to_once_a_month():
    assert got([an_item(1)], reading(cadence=Cadence.MONTHLY), had=SERVED_THIS_MONTH) == []
    assert got([an_item(1)], reading(), had=SERVED_THIS_MONTH) == [1]


def test_important_news_comes_first_then_the_newest_then_the_order_of_the_source():
    items = [an_item(4, days=2), an_item(3, days=2), an_item(2, days=1), an_item(1, days=9, important=True)]

    assert got(items) == [1, 2, 3, 4]


def test_the_editors_order_goes_before_importance():
    items = [an_item(1, important=True), an_item(2, position=1), an_item(3, position=0), an_item(4, lead=True)]

    assert got(items, at_most=3) == [4, 3, 2]


def test_a_section_and_the_whole_have_a_most():
    local = [an_item(number, districts="bromma", days=1) for number in (1, 2, 3)]
    general = [an_item(number, days=2) for number in (4, 5, 6)]

    assert got(local + general, per_section=2) == [1, 2, 4, 5]
    assert got(local + general, per_section=2, at_most=3) == [1, 2, 4]


def test_a_digest_below_the_least_is_not_sent():
    assert got([an_item(1)], at_least=2) == []
    assert got([]) == []


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (an_item(1, districts="bromma", topics="school"), Reason(Kind.DISTRICT, "bromma")),
        (an_item(1, districts="county stockholm", topics="school"), Reason(Kind.PARENT, "stockholm")),
        (an_item(1, topics="school"), Reason(Kind.TOPIC, "school")),
        (an_item(1), Reason(Kind.EVERYONE)),
    ],
)
def test_the_reason_is_the_first_that_holds(item: Item, reason: Reason):
    digest = plan_digest([item], reading("bromma", "school"), 0, OCCASION)

    assert digest is not None
    assert [(section.heading, section.picks[0].reason) for section in digest.sections] == [(reason, reason)]


def test_sections_go_from_the_lead_over_the_near_to_what_is_for_everyone():
    items = [
        an_item(1, days=1),
        an_item(2, days=2, topics="school"),
        an_item(3, days=3, districts="county"),
        an_item(4, days=4, districts="bromma"),
        an_item(5, days=5, important=True),
    ]

    digest = plan_digest(items, reading("bromma", "school"), 0, OCCASION)

    assert digest is not None
    assert [section.heading.kind for section in digest.sections] == ["lead", "district", "parent", "topic", "everyone"]
    assert digest.items == (5, 4, 3, 2, 1)


def test_one_content_for_all_asks_nobody_what_they_chose():
    items = [an_item(1, districts="bromma"), an_item(2, topics="care"), an_item(3)]

    digest = plan_for_all(items, an_item(3).bit, OCCASION)

    assert digest is not None
    assert digest.items == (1, 2)
    assert {section.heading for section in digest.sections} == {Reason(Kind.EVERYONE)}


def test_every_rule_is_used_once():
    assert len(set(RULES)) == len(RULES)


slugs = st.frozensets(st.sampled_from(sorted(PARENTS)), max_size=3)
topics = st.frozensets(st.sampled_from(["school", "care", "work"]), max_size=2)
items = st.lists(
    st.builds(
        Item,
        id=st.integers(1, 40),
        bit=st.integers(1, 12).map(lambda place: 1 << place),
        published_at=st.integers(0, 40).map(lambda days: NOW - timedelta(days=days)),
        districts=slugs,
        topics=topics,
        important=st.booleans(),
        hidden=st.booleans(),
        position=st.none() | st.integers(0, 3),
    ),
    max_size=25,
    unique_by=lambda item: item.id,
)
readers = st.builds(
    a_reader,
    st.just(1),
    districts=slugs,
    topics=topics,
    cadence=st.sampled_from(Cadence),
    since=st.integers(0, 60).map(lambda days: NOW - timedelta(days=days)),
)
masks = st.integers(0, 2**13 - 1)


@given(items, readers, masks)
def test_a_digest_is_never_empty_too_long_or_a_repetition(items: list[Item], reader: Reader, had: int):
    digest = plan_digest(items, reader, had, OCCASION)

    if digest is not None:
        bits = {item.id: item.bit for item in items}
        told = [bits[number] for number in digest.items]
        assert 1 <= len(told) <= OCCASION.at_most
        assert len(set(told)) == len(told)
        assert not any(bit & had for bit in told)
        assert max(len(section.picks) for section in digest.sections) <= OCCASION.per_section


@given(items, readers, masks, st.randoms())
def test_the_same_items_in_any_order_give_the_same_digest(items: list[Item], reader: Reader, had: int, chance: Random):
    shuffled = list(items)
    chance.shuffle(shuffled)

    assert plan_digest(shuffled, reader, had, OCCASION) == plan_digest(items, reader, had, OCCASION)


@given(items, readers, readers, masks)
def test_readers_of_one_signature_get_the_same(items: list[Item], one: Reader, other: Reader, had: int):
    digests: dict[object, Digest | None] = {}
    for reader in (one, other):
        digest = plan_digest(items, reader, had, OCCASION)
        assert digests.setdefault(signature(reader, OCCASION), digest) == digest


@given(items, readers)
def test_over_editions_nobody_gets_a_story_twice(items: list[Item], reader: Reader):
    bits = {item.id: item.bit for item in items}
    had, told = 0, []
    while digest := plan_digest(items, reader, had, OCCASION):
        told += [bits[number] for number in digest.items]
        had = sum(set(told))

    assert len(set(told)) == len(told)
