"""Two shifts exchanged in one step: proposed by one, agreed to by another, and both change or neither."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from httpx2 import Response

from mailer.events import shifts
from mailer.events.details import Shift
from tests.databases import everything_in
from tests.mailer.events.saying import a_shift
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import answer_path, delivered, edit, newcomers, told
from tests.mailer.web.test_calendar import hold
from tests.mailer.web.test_forgetting import press
from tests.mailer.web.test_shifting import do, taken

MORNING, NOON, EVENING = a_shift(6, needs=1), a_shift(10, needs=1, place="Skärholmstorget"), a_shift(16, needs=2)
BESIDE = a_shift(11, needs=1, place="Slussen")  # while NOON is


@pytest.fixture
def event(site: Site) -> int:
    """Anna has the morning, Cecilia noon."""
    number = hold(site, shifts=(MORNING, NOON, EVENING, BESIDE))
    do(site, number, "take", MORNING, ANNA)
    do(site, number, "take", NOON, CECILIA)
    return number


def number_of(site: Site, event: int, which: Shift) -> int:
    with site.app.reading() as session:
        return next(post.id for post in shifts.posts(session, event) if post.shift == which)


def swap(site: Site, event: int, choice: str, mine: Shift, other: Shift, member: int) -> Response:
    fields = {
        "nonce": site.web.state.house.nonce_for(member),
        "choice": choice,
        "shift": str(number_of(site, event, mine)),
        "other": str(number_of(site, event, other)),
    }
    return site.client.post(f"{answer_path(site, event, member)}/shifts", data=fields)


def test_a_swap_is_proposed_told_agreed_to_and_both_have_the_others_shift(site: Site, event: int):
    page = site.client.get(answer_path(site, event, ANNA)).text
    assert f'value="{number_of(site, event, NOON)}">lör 1 maj 12:00–14:00, Skärholmstorget' in page
    assert "Vi frågar dem som har det passet." in swap(site, event, "propose", MORNING, NOON, ANNA).text
    assert taken(site, event) == {ANNA: [MORNING], CECILIA: [NOON]}
    assert told(site, "shift") == [CECILIA]

    asked = site.client.get(answer_path(site, event, CECILIA)).text
    assert "Swap with them" in asked
    assert "Anna" not in asked
    assert "The shifts are swapped." in swap(site, event, "swap", NOON, MORNING, CECILIA).text

    assert taken(site, event) == {ANNA: [NOON], CECILIA: [MORNING]}
    assert told(site, "shift") == [CECILIA, ANNA]
    letters = {mail["Subject"]: mail.get_body(("plain",)).get_content() for mail in delivered(site)}  # type: ignore[union-attr]  # it has one
    question, news = letters["Will you swap shifts? Första maj"], letters["Ditt pass har bytts: Första maj"]
    assert question.index("12:00–14:00, Skärholmstorget") < question.index("08:00–10:00, Torget")
    assert answer_path(site, event, CECILIA) in question
    assert "Du behöver inte längre komma till: lördag 1 maj 2027 08:00–10:00" in news.replace(" kl. ", " ").replace(
        "2027, ", "2027 "
    )
    assert "Anna" not in question
    assert "Cecilia" not in news


def test_looking_at_it_changes_nothing(site: Site, event: int):
    swap(site, event, "propose", MORNING, NOON, ANNA)
    before = everything_in(site.app.engine)

    for path in (answer_path(site, event, CECILIA), f"{answer_path(site, event, CECILIA)}/shifts"):
        assert site.client.get(path).status_code == 200
        assert site.client.get(f"{path}?choice=swap&shift=1&other=2").status_code == 200

    assert everything_in(site.app.engine) == before


def test_one_of_two_who_agree_at_once_has_it_and_nothing_is_lost(site: Site, event: int):
    """Both hold one of the two places of the evening, which Anna wishes for."""
    first, second = newcomers(site, 2)
    for member in (first, second):
        do(site, event, "take", EVENING, member)
    swap(site, event, "propose", MORNING, EVENING, ANNA)
    assert set(told(site, "shift")) == {first, second}

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda who: swap(site, event, "swap", EVENING, MORNING, who), (first, second)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    has = taken(site, event)
    winner = next(member for member in (first, second) if has[member] == [MORNING])
    assert has == {ANNA: [EVENING], winner: [MORNING], first + second - winner: [EVENING], CECILIA: [NOON]}


@pytest.mark.parametrize("why", ["withdrawn", "left", "left and taken again", "moved", "begun", "busy", "never"])
def test_what_is_not_on_offer_any_more_cannot_be_agreed_to(site: Site, event: int, why: str):
    if why != "never":
        swap(site, event, "propose", MORNING, NOON, ANNA)
    if why == "withdrawn":
        assert "Du vill inte längre byta" in do(site, event, "withdraw", MORNING, ANNA).text
    if why.startswith("left"):
        do(site, event, "leave", MORNING, ANNA)
        site.watch.at += timedelta(minutes=1)
        if why != "left":
            do(site, event, "take", MORNING, ANNA)
    morning = MORNING
    if why == "moved":
        morning = a_shift(7, needs=1)
        keep = "2027-05-01 {}:00-{}:00 @ {}: {}".format
        lines = [keep("09", 11, "Torget", 1), keep(12, 14, "Skärholmstorget", 1)]
        edit(site, event, shifts=[*lines, keep(18, 20, "Torget", 2), keep(13, 15, "Slussen", 1)])
    if why == "begun":
        site.watch.at = MORNING.starts_at
    if why == "busy":
        do(site, event, "take", BESIDE, ANNA)
    before = taken(site, event)

    assert "Swap with them" not in site.client.get(answer_path(site, event, CECILIA)).text
    assert swap(site, event, "swap", NOON, morning, CECILIA).status_code == 409

    assert taken(site, event) == before


def test_one_wishes_only_for_what_one_could_have_and_not_by_taking(site: Site, event: int):
    assert "lämna ditt och ta det" in swap(site, event, "propose", MORNING, EVENING, ANNA).text  # it is free
    assert swap(site, event, "propose", NOON, MORNING, ANNA).status_code == 409  # it is Cecilia's
    do(site, event, "take", BESIDE, ANNA)
    assert swap(site, event, "propose", MORNING, NOON, ANNA).status_code == 409  # she would be in two places

    assert told(site, "shift") == []


def test_who_proposes_the_same_again_and_again_floods_nobody(site: Site, event: int):
    for _ in range(3):
        swap(site, event, "propose", MORNING, NOON, ANNA)
        do(site, event, "withdraw", MORNING, ANNA)

    assert told(site, "shift") == [CECILIA]
    site.watch.at += timedelta(days=1)
    swap(site, event, "propose", MORNING, NOON, ANNA)
    assert told(site, "shift") == [CECILIA, CECILIA]


@pytest.mark.parametrize("other", ["", "99", "1; DROP", "9" * 30])
def test_what_the_page_did_not_offer_is_no_swap(site: Site, event: int, other: str):
    form = {"choice": "swap", "shift": "1", "other": other, "nonce": site.web.state.house.nonce_for(ANNA)}

    assert site.client.post(f"{answer_path(site, event)}/shifts", data=form).status_code == 409
    assert taken(site, event) == {ANNA: [MORNING], CECILIA: [NOON]}


def test_a_wish_is_shown_to_whose_it_is_and_goes_with_them(site: Site, event: int):
    swap(site, event, "propose", MORNING, NOON, ANNA)
    assert "Byten av pass som du har föreslagit" in press(site, "held", ANNA, choice="page").text

    press(site, "erase", ANNA, sure="yes")

    assert everything_in(site.app.engine)["shift_swap"] == []
    assert taken(site, event) == {CECILIA: [NOON]}
    assert BO not in taken(site, event)
