"""Approving the letters about an event, in Debian's Chromium."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from mailer.operators.models import Outcome
from tests.mailer.web.browsing import Window, faults_of, open_page
from tests.mailer.web.conftest import Site
from tests.mailer.web.test_approving_events import open_for_events, write_event


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_and_pressed_on_a_phone(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    office = open_for_events(site)
    write_event(office)
    office.ask()
    page = open_page(chromium, Window(320), scheme)

    page.goto(address + office.path("west"))
    expect(page.get_by_role("heading", level=1)).to_have_text("event:1 (Första maj) väntar på en annan ansvarig")
    page.goto(address + office.path("bo"))
    expect(page.frame_locator("iframe").get_by_role("heading", name="Första maj")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("Its letters wait until somebody asks anew")).to_be_visible()
    assert faults_of(page) == []
    assert office.outcome() is Outcome.DECLINED
    page.close()
