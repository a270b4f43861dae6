from sqlmodel import Session, select

from mailer.news.reference import load_reference
from mailer.news.shipped import shipped_places, shipped_topics
from subscribers.models import District, Topic

CITY_DISTRICTS = {
    "jarva",
    "hasselby-vallingby",
    "bromma",
    "kungsholmen",
    "norra-innerstaden",
    "sodermalm",
    "enskede-arsta-vantor",
    "skarpnack",
    "farsta",
    "hagersten-alvsjo",
    "skarholmen",
}


def test_the_county_its_municipalities_and_the_city_districts_form_a_tree():
    places = {place.slug: place for place in shipped_places()}

    assert {slug for slug, place in places.items() if place.kind == "city district"} == CITY_DISTRICTS
    assert all(places[slug].parent == "stockholm" for slug in CITY_DISTRICTS)
    assert sum(place.parent == "stockholms-lan" for place in places.values()) == 26
    assert [place.slug for place in places.values() if place.parent is None] == ["stockholms-lan"]


def test_neighbours_are_neighbours_of_each_other():
    places = {place.slug: place for place in shipped_places()}

    for place in places.values():
        assert all(place.slug in places[other].neighbours for other in place.neighbours), place.slug


def test_no_name_stands_for_two_districts():
    names = [name for place in shipped_places() for name in (*place.places, *place.words, *place.venues)]

    assert len(names) == len(set(names))


def test_loading_the_lists_again_adds_nothing(session: Session):
    added = load_reference(session)

    assert added == len(shipped_places()) + len(shipped_topics())
    assert load_reference(session) == 0
    bromma = session.exec(select(District).where(District.slug == "bromma")).one()
    assert session.get(District, bromma.parent_id).slug == "stockholm"
    assert session.exec(select(Topic.name_en).where(Topic.slug == "skola")).one() == "Schools"
