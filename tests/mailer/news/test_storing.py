from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from mailer.news import editing, listing
from mailer.news.images import StoredImage
from mailer.news.models import NewsItem
from mailer.news.parsed import ParsedItem
from mailer.news.reference import load_reference
from mailer.news.storing import ReadyItem, Stored, Terms, store
from mailer.news.tagging import tags_of

PARK = ParsedItem("park", "Ny park i Farsta", "Parken får en ny lekplats.")
SCHOOL = ParsedItem("skola", "Skolan byggs om", "Det tar ett år.")


@pytest.fixture(autouse=True)
def _reference(session: Session) -> None:
    load_reference(session)


def put(
    session: Session, now: datetime, *items: ParsedItem, image: StoredImage | None = None, **terms: object
) -> Stored:
    ready_items = [ReadyItem(item, tags_of(item.title, item.body), image) for item in items]
    return store(session, ready_items, Terms("test", now, **terms), now=now)


def stored(session: Session, guid: str = "park") -> NewsItem:
    return session.exec(select(NewsItem).where(NewsItem.guid == guid)).one()


def shown(session: Session, now: datetime, guid: str = "park") -> listing.Entry:
    session.flush()
    return listing.show(session, stored(session, guid), now=now)


def test_what_is_known_is_updated_and_not_doubled(session: Session, now: datetime):
    first = put(session, now, PARK, SCHOOL)
    second = put(session, now, replace(PARK, body="Parken får två lekplatser."), SCHOOL)

    assert (first.added, first.changed, first.unchanged) == (2, 0, 0)
    assert (second.added, second.changed, second.unchanged) == (0, 1, 1)
    assert first.ids == second.ids
    assert stored(session).body == "Parken får två lekplatser."


def test_the_order_of_the_source_is_the_order_of_the_list(session: Session, now: datetime):
    put(session, now, *(replace(SCHOOL, guid=str(number), title=f"Nummer {number}") for number in range(5)))

    assert [entry.title for entry in listing.list_news(session, now=now)] == [f"Nummer {n}" for n in range(5)]


def test_what_a_person_set_survives_an_update_and_the_rest_does_not(session: Session, now: datetime):
    put(session, now, PARK)
    editing.edit(session, stored(session), editing.Wording(title="Vår nya park i Farsta"))

    put(session, now, replace(PARK, title="Parken i Bromma", body="Nytt från källan."))

    entry = shown(session, now)
    assert (entry.title, entry.body) == ("Vår nya park i Farsta", "Nytt från källan.")
    assert entry.districts == ("farsta",)  # by the title that is shown


def test_tags_follow_the_text_and_say_why(session: Session, now: datetime):
    put(session, now, PARK)
    assert shown(session, now).reasons == {"farsta": "Farsta"}

    put(session, now, replace(PARK, title="Ny skola i Bromma"))
    assert shown(session, now).reasons == {"bromma": "Bromma", "skola": "skola"}


def test_a_removed_tag_stays_removed_and_an_added_one_stays(session: Session, now: datetime):
    put(session, now, PARK)
    editing.retag_by_hand(session, stored(session), add=["Klimat"], remove=["farsta"])

    put(session, now, replace(PARK, body="Nu med damm."))

    entry = shown(session, now)
    assert (entry.districts, entry.topics) == ((), ("klimat",))
    assert entry.reasons == {"klimat": "by hand"}


def test_locked_tags_neither_come_nor_go_until_they_are_unlocked(session: Session, now: datetime):
    put(session, now, PARK)
    editing.lock_tags(session, stored(session))
    put(session, now, replace(PARK, title="Ny skola i Bromma"))
    assert shown(session, now).districts == ("farsta",)

    editing.unlock_tags(session, stored(session))
    assert shown(session, now).districts == ("bromma",)


def test_a_source_may_stand_for_a_district(session: Session, now: datetime):
    tags = (replace(tags_of("Farsta", "")[0], slug="bromma", reason="source test"),)

    put(session, now, SCHOOL, source_tags=tags)

    assert shown(session, now, "skola").reasons == {"bromma": "source test", "skola": "Skolan"}


def test_a_source_cannot_date_its_news_into_the_future(session: Session, now: datetime):
    put(session, now, replace(PARK, published_at=now + timedelta(days=400)))

    assert stored(session).published_at == now


def test_an_item_without_a_date_keeps_its_first_one(session: Session, now: datetime):
    put(session, now, PARK)
    put(session, now + timedelta(days=9), replace(PARK, body="Ändrad."))

    assert stored(session).published_at == now


def test_a_picture_that_cannot_be_had_again_stays_and_one_that_is_gone_goes(session: Session, now: datetime):
    with_image = replace(PARK, image_url="https://example.org/b.jpg", image_alt="En park")
    put(session, now, with_image, image=StoredImage("abc.jpg", 600, 400))
    put(session, now, replace(with_image, body="Ändrad."))
    assert (stored(session).image, stored(session).image_alt) == ("abc.jpg", "En park")

    put(session, now, PARK)
    assert (stored(session).image, stored(session).image_alt) == (None, "")


def test_tellings_of_one_story_share_it_over_sources(session: Session, now: datetime):
    body = "Kommunfullmäktige beslutade på måndagen att bygga en ny simhall med två bassänger bredvid tunnelbanan."
    one = ParsedItem("1", "Ny simhall klar", body)
    store(session, [ReadyItem(one, ())], Terms("a", now), now=now)
    store(session, [ReadyItem(replace(one, guid="2"), ()), ReadyItem(SCHOOL, ())], Terms("b", now), now=now)

    first, second, other = listing.list_news(session, now=now)

    assert first.story_id == second.story_id == first.id
    assert other.story_id == other.id
