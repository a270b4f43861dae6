"""Approving, and inviting others, in Debian's Chromium."""

from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from mailer.config.recruiting import Recruiting
from mailer.links import Purpose
from mailer.members.models import Recruit
from mailer.outbox.models import MailingState
from tests.builders import a_news_item
from tests.mailer.web.browsing import Window, faults_of, open_page
from tests.mailer.web.conftest import ANNA, BO, Site
from tests.mailer.web.test_approving import open_office
from tests.mailer.web.test_approving_corrections import stopped


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operator_approves_and_takes_it_back(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    office = open_office(site)
    office.set_intro("Hej alla!\n\nI veckan händer mycket.")
    with site.app.writing() as session:
        session.add(a_news_item("Ny cykelbana", published_at=site.watch() - timedelta(days=1)))
    office.ask("bo")
    page = open_page(chromium, Window(320), scheme)

    page.goto(address + office.path("anna"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Får weekly:2024-W11 gå ut?")
    expect(page.frame_locator("iframe").get_by_text("Ny cykelbana").first).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="Godkänn").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("weekly:2024-W11 är godkänt")
    assert faults_of(page) == []
    assert office.state() is MailingState.APPROVED
    page.get_by_role("button", name="Ta tillbaka det").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Det finns inget kvar att bestämma")
    assert faults_of(page) == []
    assert office.state() is MailingState.DRAFT
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_stumbles_over_the_pages_of_inviting(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    site.app.settings = site.app.settings.model_copy(update={"recruiting": Recruiting(enabled=True)})
    with site.app.writing() as session:
        session.add_all(Recruit(district="bromma", day=site.watch().date()) for _ in range(7))
    page = open_page(chromium, Window(320), scheme)

    for path in (site.app.links.act(Purpose.RECRUIT, ANNA, 0).removeprefix(site.app.links.base_url), "/progress"):
        page.goto(address + path)
        assert faults_of(page) == []
    page.goto(address + site.choose_path())
    assert faults_of(page) == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operator_reads_a_correction_and_its_text_on_a_phone(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    office = stopped(site, sent=(ANNA, BO))
    office.ask("bo")
    page = open_page(chromium, Window(320), scheme)

    page.goto(address + office.path("anna"))
    expect(page.frame_locator("iframe").get_by_role("link", name="Mötet är på onsdag")).to_be_visible()
    page.locator("summary").click()
    assert faults_of(page) == []
    page.get_by_role("link", name="Det som ren text").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rättelse: Mötet är på onsdag")
    assert faults_of(page) == []
    page.close()
