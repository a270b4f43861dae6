"""A member takes along what is held about them, and has it deleted, in Debian's Chromium."""

import json
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from subscribers.models import Member, State
from tests.mailer.web.browsing import PHONE_AND_DESKTOP, Window, faults_of, open_page
from tests.mailer.web.conftest import ANNA, CECILIA, Site


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
def test_a_member_takes_everything_along_and_is_forgotten(site: Site, chromium: Browser, address: str, window: Window):
    page = open_page(chromium, window)

    page.goto(address + site.own_path(ANNA))
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Ladda ner som JSON").click()
    assert json.loads(Path(downloading.value.path()).read_text())["address"] == "paret@example.org"
    page.get_by_role("button", name="Visa allt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Allt vi har sparat om dig")
    page.get_by_role("link", name="Tillbaka").click()
    page.get_by_label("Ja, radera allt om mig").check()
    page.get_by_role("button", name="Radera allt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du är bortglömd")

    with site.app.reading() as session:
        assert session.get_one(Member, ANNA).state is State.ERASED
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_stumbles_over_the_pages_of_what_is_held(
    site: Site, chromium: Browser, address: str, scheme: Literal["light", "dark"]
):
    page = open_page(chromium, Window(320), scheme)

    page.goto(address + site.own_path(CECILIA))
    assert faults_of(page) == []
    page.get_by_role("button", name="Show everything").click()
    assert faults_of(page) == []
    page.get_by_role("link", name="Back").click()
    page.get_by_label("Yes, delete everything about me").check()
    page.get_by_role("button", name="Delete everything").click()
    assert faults_of(page) == []
    page.close()
