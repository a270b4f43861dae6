"""Answering and taking shifts in Debian's Chromium: a phone without scripts, a desktop with them, light and dark."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from mailer.events.attendance import Answer
from tests.databases import ONLY_SQLITE
from tests.mailer.events.saying import a_shift, a_step
from tests.mailer.web.browsing import PHONE_AND_DESKTOP, STUMBLES, Window, axe_finds, open_page
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import answer_path, edit, given, say, tally
from tests.mailer.web.test_calendar import hold
from tests.mailer.web.test_shifting import MORNING, NOON, do, taken

pytestmark = ONLY_SQLITE  # what is written is tried on both without a browser


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
def test_a_member_says_yes_with_company_and_changes_their_mind(
    site: Site, chromium: Browser, address: str, window: Window
):
    event = hold(site, route=(a_step(11),), capacity=4)
    page = open_page(chromium, window)

    page.goto(f"{address}{answer_path(site, event)}?no")
    page.get_by_label("Antal i sällskap utöver dig").fill("3")
    page.get_by_role("button", name="Ja, jag kommer").click()
    expect(page.get_by_role("status")).to_have_text(
        "Du kommer. Vi ser fram emot att ses! Ett brev lägger in det i din kalender."
    )
    assert tally(site, event).coming == 4

    say(site, event, "yes", BO)
    page.get_by_role("button", name="Nej").click()
    expect(page.get_by_role("status")).to_contain_text("Du kommer inte")
    assert (given(site, event)[ANNA].answer, given(site, event)[BO].waiting) == (Answer.NO, False)
    page.close()


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
def test_two_members_swap_a_shift(site: Site, chromium: Browser, address: str, window: Window):
    event = hold(site, shifts=(MORNING, NOON))
    hers, his = open_page(chromium, window), open_page(chromium, window)

    hers.goto(address + answer_path(site, event, ANNA))
    hers.get_by_role("button", name="Ta det: lördag 1 maj 2027, 12:00–14:00, Skärholmstorget").click()
    expect(hers.get_by_role("status")).to_have_text("Passet är ditt. Tack!")
    hers.get_by_role("button", name="Erbjud det till andra").click()
    assert taken(site, event) == {ANNA: [NOON]}

    his.goto(address + answer_path(site, event, BO))
    expect(his.get_by_text("någon erbjuder sitt")).to_be_visible()
    his.get_by_role("button", name="Ta det: lördag 1 maj 2027, 12:00–14:00, Skärholmstorget").click()
    assert taken(site, event) == {BO: [NOON]}

    hers.get_by_role("button", name="Behåll det").click()  # the page as it was before
    expect(hers.get_by_role("alert")).to_have_text("Du har inte det passet, eller inte längre.")
    assert taken(site, event) == {BO: [NOON]}
    hers.close()
    his.close()


def test_a_shift_is_taken_with_the_keyboard_alone(site: Site, chromium: Browser, address: str):
    event = hold(site, shifts=(MORNING,))
    page = open_page(chromium, Window(360))
    page.goto(address + answer_path(site, event))

    take = page.get_by_role("button", name="Ta det")
    for _ in range(20):
        page.keyboard.press("Tab")
        if take.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_be_visible()
    assert taken(site, event) == {ANNA: [MORNING]}
    page.close()


@pytest.mark.parametrize(("scheme", "member"), [("light", ANNA), ("dark", CECILIA)])
def test_axe_and_a_thumb_find_nothing_in_any_state(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"], member: int
):
    event = hold(site, shifts=(MORNING, NOON, a_shift(15, needs=1, place="Farsta")), capacity=1, text="Kom!")
    say(site, event, "yes", BO)
    path = f"{address}{answer_path(site, event, member)}"
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 320, "height": 700})
    page, found = context.new_page(), {}

    def look(state: str, at: str = path) -> None:
        page.goto(at)
        found[state] = [*axe_finds(page), *page.evaluate(STUMBLES)]

    look("full")
    do(site, event, "take", NOON, BO)
    do(site, event, "take", MORNING, member)
    do(site, event, "offer", MORNING, member)
    say(site, event, "yes", member)
    look("waiting, with an offered shift")
    do(site, event, "offer", NOON, BO)
    look("another offers theirs")
    page.get_by_role("button").last.click()
    found["said no"] = [*axe_finds(page), *page.evaluate(STUMBLES)]
    edit(site, event, place="Humlegården")
    look("moved")
    edit(site, event, cancelled=True)
    look("called off")
    look("its public page", f"{address}/e/{event}")

    assert found == {state: [] for state in found}
    context.close()
