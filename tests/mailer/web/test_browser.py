"""The pages in Debian's Chromium: a phone without JavaScript, a desktop with it, light and dark."""

from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from mailer.links import Purpose
from subscribers import preferences
from tests.builders import a_news_item
from tests.databases import ONLY_SQLITE
from tests.mailer.events.saying import a_shift, a_step
from tests.mailer.web.browsing import PHONE_AND_DESKTOP, STUMBLES, Window, axe_finds, open_page
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.letters import FORGOTTEN, a_letter_was_sent, page_of, stands_in_the_archive
from tests.mailer.web.test_answering import answer_path
from tests.mailer.web.test_calendar import hold


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
def test_a_member_leaves_comes_back_and_chooses_three_districts(
    site: Site, chromium: Browser, address: str, window: Window
):
    page = open_page(chromium, window)

    page.goto(address + site.leave_path())
    page.get_by_role("button", name="Avsluta prenumerationen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du får inte längre Veckobrevet")
    assert not site.gets(ANNA)

    page.get_by_role("button", name="Ångra").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ångrat")
    assert site.gets(ANNA)

    page.get_by_role("link", name="Välj stadsdelar, ämnen och språk").click()
    page.get_by_label("Bromma").check()
    page.get_by_label("Älvsjö").check()
    page.locator("summary", has_text="Stockholms län").click()
    page.get_by_label("Solna").check()
    page.get_by_role("button", name="Spara").click()
    expect(page.get_by_role("status")).to_have_text("Sparat. Det gäller från och med nästa brev.")
    with site.app.reading() as session:
        choices = preferences.read(session, ANNA)
    assert choices is not None
    assert choices.districts == {"bromma", "alvsjo", "solna"}
    page.close()


def test_a_member_pauses_with_the_keyboard_alone(site: Site, chromium: Browser, address: str):
    page = open_page(chromium, Window(800))
    page.goto(address + site.leave_path(BO))

    pause = page.get_by_role("button", name="Pausa")
    for _ in range(30):
        page.keyboard.press("Tab")
        if pause.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Pausat till den 3 april 2024")
    assert site.gets(BO)
    page.close()


def states_of(site: Site) -> dict[str, str]:
    """Return the path of every page and state that a browser can open."""
    site.press(site.own_path(CECILIA), choice="address", address="ny@example.org")
    with site.app.writing() as session:
        session.add(a_news_item(id=1))
    event = hold(site, route=(a_step(11),), shifts=(a_shift(),), meeting_point="Vid scenen", contact="1maj@example.org")
    letter = a_letter_was_sent(site)
    stands_in_the_archive(site, "members", "bromma", "jarva")
    archive = site.archive_path()
    return {
        "front": "/",
        "a news item": "/n/1",
        "an event": f"/e/{event}",
        "events to come": f"{site.choose_path()}/events",
        "an answer": answer_path(site, event),
        "an answer in English": answer_path(site, event, CECILIA),
        "a letter": letter,
        "archives": archive,
        "archive": f"{archive}/weekly",
        "archive of a district": f"{archive}/weekly?district=bromma",
        "archived letter": f"{archive}/weekly/2024-W10?district=bromma",
        "archive for members": "/archive/weekly",
        "an old link to the archive": site.archive_path(since=timedelta(days=400)),
        "a forgotten letter": page_of(site, FORGOTTEN),
        "leave": site.leave_path(),
        "choose": site.choose_path(),
        "choose in English": site.choose_path(CECILIA),
        "own data": site.own_path(),
        "an old link": site.own_path(since=timedelta(days=1)),
        "new mailbox": site.move_path(Purpose.ADDRESS_NEW, 1, CECILIA),
        "old mailbox": site.move_path(Purpose.ADDRESS_OLD, 1, CECILIA),
        "nothing here": "/u/none",
    }


def pressed_on(site: Site) -> dict[str, tuple[str, str]]:
    """Return the path and the button of every page that a browser is answered with when it sends a form."""
    leave, choose = site.leave_path(), site.choose_path()
    return {
        "monthly": (leave, "button[value=monthly]"),
        "weekly": (leave, "button[value=weekly]"),
        "paused": (leave, "button[value=pause]"),
        "resumed": (leave, "button[value=resume]"),
        "only events": (leave, "button[value=events]"),
        "only events undone": (leave, "button[value=undo]"),
        "left": (site.leave_path(BO), "button[value=leave]"),
        "left everything": (leave, "button[value=leave-everything]"),
        "undone": (leave, "button[value=undo]"),
        "a district found": (choose, "button[value=find]"),
        "choices saved": (choose, "button.main"),
        "a link sent": (choose, "form[action$=link] button"),
        "a link to the archive sent": ("/archive/weekly", "form button"),
        "a name corrected": (site.own_path(), "button[value=name]"),
        "not sure": (site.own_path(), "form[action$=erase] button"),
        "one mailbox agreed": (site.move_path(Purpose.ADDRESS_NEW, 1, CECILIA), "form button"),
        "both agreed": (site.move_path(Purpose.ADDRESS_OLD, 1, CECILIA), "form button"),
    }


@ONLY_SQLITE  # what a page looks like is no matter of the database, and axe takes its time
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]):
    # The pages forbid all scripts; axe is one, so this context lets it in. What is shown stays the same.
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 375, "height": 700})
    page, found = context.new_page(), {}

    for name, path in states_of(site).items():
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found[name] = axe_finds(page)
    for name, (path, button) in pressed_on(site).items():
        page.goto(address + path)
        shown = page.inner_text("main")
        page.evaluate("document.querySelectorAll('form').forEach(one => one.noValidate = true)")
        for field in page.locator("#find, #address").all():
            field.fill("anna@example.org")
        site.watch.at += timedelta(seconds=20)  # nobody fills in a form at once
        page.locator(button).click()
        assert page.inner_text("main") != shown, name
        found[name] = axe_finds(page)

    assert found == {name: [] for name in found}
    context.close()


def test_a_district_is_looked_for_with_the_keyboard_and_without_scripts(site: Site, chromium: Browser, address: str):
    page = open_page(chromium, Window(320, scripts=False))
    page.goto(address + site.choose_path())

    page.get_by_label("Sök efter en stadsdel").fill("osteraker")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 plats har det i namnet.")
    page.get_by_label("Österåker").check()
    page.get_by_role("button", name="Spara").click()

    with site.app.reading() as session:
        choices = preferences.read(session, ANNA)
    assert choices is not None
    assert choices.districts == {"osteraker"}
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_too_wide_or_too_small_and_nothing_is_asked_elsewhere(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
):
    page = open_page(chromium, Window(320), scheme)
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.url))

    for name, path in states_of(site).items():
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate(STUMBLES) == [], name

    assert [text for text in complaints if "404" not in text and "410" not in text] == []
    assert all(url.startswith(address) for url in asked)
    page.close()
