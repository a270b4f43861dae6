from hypothesis import given
from hypothesis import strategies as st

from mailer.web.districts import Place, grouped, swedish


def test_the_innermost_group_comes_first_and_no_place_comes_twice():
    county = Place(1, "lan", "Länet", None)
    city, town = Place(2, "stad", "Staden", 1), Place(3, "by", "Byn", 1)
    part = Place(4, "del", "Delen", 2)

    groups = grouped([county, city, town, part], frozenset({"del"}))

    assert [(g.whole, g.parts, g.chosen) for g in groups] == [(city, (part,), 1), (county, (town,), 0)]


def test_places_without_a_tree_still_can_be_chosen():
    lone = Place(1, "o", "Ön", None)

    assert [(g.whole, g.parts) for g in grouped([lone], frozenset())] == [(None, (lone,))]


def test_swedish_letters_come_after_z():
    assert sorted(["Östermalm", "Zinken", "Älvsjö", "Årsta"], key=swedish) == ["Zinken", "Årsta", "Älvsjö", "Östermalm"]


@given(st.lists(st.one_of(st.none(), st.integers(1, 8)), max_size=8))
def test_every_place_is_shown_exactly_once_whatever_the_tree(parents: list[int | None]):
    places = [Place(number, f"p{number}", f"P{number}", parent) for number, parent in enumerate(parents, 1)]

    shown = [place for group in grouped(places, frozenset()) for place in (group.whole, *group.parts) if place]

    assert sorted(place.id for place in shown) == [place.id for place in places]
