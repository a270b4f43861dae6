"""Approving in Debian's Chromium."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from mailer.outbox.models import MailingState
from tests.mailer.web.browsing import PHONE_AND_DESKTOP, Window, faults_of, open_page
from tests.mailer.web.conftest import Site
from tests.mailer.web.test_approving import open_office


@pytest.mark.parametrize("window", PHONE_AND_DESKTOP)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operator_approves_and_takes_it_back(
    site: Site, chromium: Browser, address: str, window: Window, scheme: Literal["light", "dark"]
) -> None:
    office = open_office(site)
    office.set_intro("Hej alla!\n\nI veckan händer mycket.")
    office.ask("bo")
    page = open_page(chromium, window, scheme)

    page.goto(address + office.path("anna"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Får weekly:2024-W11 gå ut?")
    assert faults_of(page) == []
    _keep(page.screenshot(full_page=True), f"ask-{window.width}-{scheme}")
    page.get_by_role("button", name="Godkänn").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("weekly:2024-W11 är godkänt")
    assert faults_of(page) == []
    _keep(page.screenshot(full_page=True), f"done-{window.width}-{scheme}")
    assert office.state() is MailingState.APPROVED
    page.get_by_role("button", name="Ta tillbaka det").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Det finns inget kvar att bestämma")
    assert faults_of(page) == []
    assert office.state() is MailingState.DRAFT
    page.close()


def _keep(picture: bytes, name: str) -> None:
    Path("/tmp/op_shots").mkdir(exist_ok=True)
    Path(f"/tmp/op_shots/{name}.png").write_bytes(picture)
