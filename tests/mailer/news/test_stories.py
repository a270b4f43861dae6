from datetime import datetime, timedelta

import pytest

from mailer.news.stories import Stories, Telling, same_story

TEXT = "Kommunfullmäktige beslutade på måndagen att bygga en ny simhall med två bassänger bredvid tunnelbanan."


def a_telling(
    item_id: int, now: datetime, title: str = "Ny simhall klar", body: str = TEXT, days: float = 0
) -> Telling:
    return Telling(item_id, title, body, now - timedelta(days=days), None)


def test_near_identical_tellings_get_the_story_of_the_first(now: datetime):
    stories = Stories([a_telling(3, now, days=1)])

    assert stories.place(a_telling(7, now, title="Ny simhall är klar", body=TEXT + " Den öppnar i vår.")) == 3
    assert stories.place(a_telling(8, now)) == 3


def test_a_telling_of_its_own_is_its_own_story(now: datetime):
    stories = Stories([a_telling(3, now)])

    assert (
        stories.place(a_telling(7, now, "Badhuset rivs", "Det gamla badhuset från femtiotalet rivs under hösten.")) == 7
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"days": 6}, "too long ago"),
        ({"title": "Ny simhall klar 2025"}, "another number in the title"),
        ({"body": "Efter tolv års väntan kan de första badgästerna hoppa i vattnet på lördag."}, "another text"),
    ],
)
def test_what_may_be_another_story_is_kept_apart(now: datetime, other: dict[str, object], why: str):
    assert not same_story(a_telling(1, now), a_telling(2, now, **other)), why


def test_short_texts_are_one_story_only_word_for_word(now: datetime):
    one, same, other = (a_telling(n, now, "Möte i kväll", body) for n, body in enumerate(["Kom!", "Kom!", "Kom ej!"]))

    assert same_story(one, same)
    assert not same_story(one, other)


def test_the_order_of_arrival_decides_and_nothing_else(now: datetime):
    tellings = [a_telling(number, now, days=number) for number in (1, 2, 3)]

    assert [Stories(reversed(tellings)).place(a_telling(9, now)), Stories(tellings).place(a_telling(9, now))] == [1, 1]
