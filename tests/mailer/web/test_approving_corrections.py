"""Whoever approves a correction reads it as it goes out, and takes it back only before it goes."""

import re
from datetime import timedelta

from sqlmodel import col, select

from mailer.digest import corrections, editions, sending, waiting
from mailer.digest.models import Edition
from mailer.news.models import NewsItem, NewsTag, TagKind
from mailer.operators.models import Outcome
from mailer.outbox.models import Archived, Delivery, DeliveryState, Mailing, MailingState
from tests.builders import a_news_item
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_approving import Office, open_office

NOTE = "Det stod fel dag."
OLD, ELSEWHERE = "Mötet är på tisdag", "Bron i Älvsjö"


def stopped(site: Site, sent: tuple[int, ...], mended: int = 1) -> Office:
    """An edition that those in `sent` have got, the others wait for, and of whose news one is mended since."""
    office, app, now = open_office(site), site.app, site.watch()
    with app.writing() as session:
        session.add_all(a_news_item(title, published_at=now - timedelta(days=1)) for title in (OLD, ELSEWHERE))
        session.flush()
        session.add(NewsTag(item_id=2, kind=TagKind.DISTRICT, slug="alvsjo"))  # where nobody reads
    with app.writing() as session:
        edition = session.exec(select(Edition)).one()
        editions.approve(session, edition, who="anna", now=now)
        number = edition.id or 0
    sending.send_now(app.press(), number, now)
    with app.writing() as session:
        mailing = session.exec(select(Mailing).where(Mailing.key == office.key)).one()
        mine = select(Delivery).where(Delivery.mailing_id == mailing.id, col(Delivery.member_id).in_(sent))
        for delivery in session.exec(mine):
            delivery.state = DeliveryState.SENT
        corrections.stop(session, mailing)
        session.get_one(NewsItem, mended).title = "Mötet är på onsdag"
    with app.writing() as session:
        office.key = waiting.keep(session, session.exec(select(Edition)).one(), note=NOTE, now=now)
    return office


def test_the_letter_is_shown_in_each_language_as_page_and_as_text(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO, CECILIA))
    office.ask()
    before = site.dump()

    page = site.client.get(office.path("bo")).text

    assert "for those who got the old words" in page
    [frame] = re.findall(r'<iframe[^>]* sandbox=""[^>]* src="([^"]+)"', page)
    letters = sorted(set(re.findall(r'"([^"]+/letter/[^"]+)"', page)), key=lambda at: at != frame)
    texts = re.findall(r'href="([^"]+/text/[^"]+)"', page)
    assert len(letters) == len(texts) == 2
    for at in (*letters, *texts):
        said = site.client.get(at).text
        assert NOTE in said
        assert "Mötet är på onsdag" in said
        assert "tisdag" not in said
    languages = [site.client.get(at).headers["Content-Language"] for at in letters]
    assert languages == ["sv", "en"]  # more read the first
    assert "Rättelse: Mötet är på onsdag" in page
    assert "Correction: Mötet är på onsdag" in page
    assert site.dump() == before


def test_who_waits_is_shown_the_mended_letter_without_the_note(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO))
    office.ask()

    page = site.client.get(office.path("bo")).text

    assert "2 got the old words, and get a letter about it" in page
    assert "1 wait for their letter, and get it with the new words" in page
    [mended] = re.findall(r'href="([^"]+/letter/edition-[^"]+)"', page)
    said = site.client.get(mended).text
    assert "Mötet är på onsdag" in said
    assert NOTE not in said


def test_no_other_form_is_shown_and_nothing_once_it_is_decided(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO))
    office.ask()
    page = site.client.get(office.path("bo")).text
    letters = re.findall(r'href="([^"]+/(?:letter|text)/[^"]+)"', page)
    for other in ("correction-0", "edition-x", "-", "sv-0"):
        assert site.client.get(f"{letters[0].rpartition('/')[0]}/{other}").status_code == 404

    office.press("bo", "decline")

    assert {site.client.get(at).status_code for at in letters} == {404}


def test_within_the_window_it_is_taken_back_and_can_be_made_again(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO))
    office.ask()
    office.press("bo")
    assert office.state() is MailingState.PLANNED

    answer = office.press("bo", "take back")

    assert "nobody gets a letter about it" in answer.text
    assert office.state() is MailingState.CANCELLED
    with site.app.writing() as session:  # at once, before its letters are cancelled one by one
        edition = session.exec(select(Edition)).one()
        corrections.stop(session, editions.mailing_of(session, edition))
        again = waiting.keep(session, edition, note=NOTE, now=site.watch())
    with site.app.reading() as session:
        found = waiting.look(session, site.app.settings, site.app.links, again)
        assert (again, found.survey.got) == (f"{office.key[:-1]}2", 2)


def test_what_has_begun_to_be_sent_is_not_taken_back_and_goes_on(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO))
    office.ask()
    office.press("bo")
    with site.app.writing() as session:  # by a worker whose clock is ahead of ours
        session.exec(select(Mailing).where(Mailing.key == office.key)).one().started_at = site.watch()

    answer = office.press("bo", "take back")

    assert answer.status_code == 409
    assert "has begun to be sent" in answer.text
    assert office.state() is MailingState.PLANNED
    assert office.outcome() is Outcome.GRANTED


def test_a_change_that_only_the_archive_shows_is_approved_and_leaves_nothing_to_take_back(site: Site) -> None:
    office = stopped(site, sent=(ANNA, BO, CECILIA), mended=2)
    office.ask("siv")
    page = site.client.get(office.path("bo")).text
    assert "nobody: only the archive of weekly:2024-W11 gets the new words" in page
    assert "in the archive" in page
    office.press("bo")

    assert (office.outcome(), office.state()) == (Outcome.GRANTED, MailingState.CANCELLED)
    assert "<form" not in site.client.get(office.path("bo")).text
    with site.app.reading() as session:
        titles = session.exec(select(Archived.title).where(Archived.district == "alvsjo").distinct()).all()
        assert "Mötet är på onsdag" in titles
