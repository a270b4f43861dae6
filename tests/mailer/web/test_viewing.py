"""A letter as a web page: for whoever has its link, addressed to nobody, and for as long as it is kept."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from mailer.links import Purpose
from mailer.members import retention
from mailer.outbox.manifest import FrozenContent, Held, Letter, occasion
from mailer.outbox.models import Mailing, MailingState, Variant
from mailer.web.viewing import LETTER_POLICY
from subscribers.recipient import Recipient
from tests.builders import MOMENT
from tests.mailer.web.conftest import ANNA, LETTER, Site
from tests.mailer.web.letters import CONTENT, FORGOTTEN, VARIANT, a_letter_was_sent


def forget(site: Site, now: datetime) -> None:
    retention.run(site.app.writing, site.app.settings.retention, now)


@pytest.fixture
def sent(site: Site) -> str:
    """The path of the page of a letter that was sent."""
    return a_letter_was_sent(site)


def test_the_page_says_what_the_letter_said_and_to_nobody(site: Site, sent: str):
    answer = site.client.get(sent)

    assert answer.status_code == 200
    assert all(said in answer.text for said in ("Ny cykelbana &lt;b&gt;", "Veckan som gick.", "För att du följer"))
    assert '<p style="margin:0 0 16px">Hej!</p>' in answer.text
    assert not any(own in answer.text for own in ("/u/", "/p/", "/v/", "Anna"))


def test_the_letter_links_to_its_page_and_the_link_is_the_same_for_everyone(site: Site, sent: str):
    with site.app.reading() as session:
        frozen = occasion(session.connection(), LETTER)
    content = FrozenContent(VARIANT, "sv", plain_only=True, content=CONTENT)
    prepared = site.app.composer.prepare(frozen, content, 1)
    for member in (ANNA, 2):
        someone = Recipient(member, "anna@example.org", "Anna", "sv")
        letter = Letter(member, member, 0, content, (Held(member, member, someone),))
        mail = site.app.composer.message(prepared, frozen, letter)
        assert f"{site.app.settings.site.base_url}{sent}" in mail.content.decode().replace("=\r\n", "")


def test_the_page_is_found_by_nobody_and_runs_and_sends_nothing(site: Site, sent: str):
    headers = site.client.get(sent).headers

    assert headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == LETTER_POLICY
    assert "script" not in LETTER_POLICY


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.OWN])
def test_a_link_of_another_purpose_or_to_nothing_is_not_found(site: Site, sent: str, purpose: Purpose):
    make = site.app.links.tokens.make
    unknown = [make(purpose, VARIANT, LETTER), make(Purpose.VIEW, 3, LETTER), make(Purpose.VIEW, VARIANT, 2)]

    pages = {site.client.get(f"/v/{token}").content for token in unknown}

    assert pages == {site.client.get("/v/x").content}
    assert site.client.get(sent).status_code == 200
    assert site.client.get(sent.replace("/v/", "/u/")).status_code == 404


def test_a_letter_of_a_mailing_that_has_not_begun_has_no_page(site: Site, sent: str):
    with site.app.writing() as session:
        session.get_one(Mailing, LETTER).started_at = None

    assert site.client.get(sent).status_code == 404


def test_what_is_too_old_is_forgotten_and_its_page_says_so(site: Site, sent: str):
    keep = site.app.settings.retention.letters
    forget(site, MOMENT + keep)
    assert site.client.get(sent).status_code == 200

    forget(site, MOMENT + keep + timedelta(seconds=1))

    answer = site.client.get(sent)
    assert answer.status_code == 410
    assert "sparas inte längre" in answer.text
    with site.app.reading() as session:
        assert session.exec(select(Variant.id, Variant.content).order_by(col(Variant.id))).all() == [
            (VARIANT, ""),
            (FORGOTTEN, ""),
        ]


def test_what_is_not_sent_whole_is_not_forgotten(site: Site, sent: str):
    with site.app.writing() as session:
        session.get_one(Mailing, LETTER).state = MailingState.HELD

    forget(site, MOMENT + timedelta(days=1000))

    assert site.client.get(sent).status_code == 200
