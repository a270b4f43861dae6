from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from mailer.errors import Mistake
from mailer.news import editing, listing
from mailer.news.listing import State, Wanted
from mailer.news.models import TagKind
from mailer.news.reference import find_tag, load_reference
from tests.builders import a_news_item


@pytest.fixture(autouse=True)
def _reference(session: Session) -> None:
    load_reference(session)


def test_a_written_item_is_tagged_by_its_words_or_by_what_was_said(session: Session, now: datetime):
    found = editing.add(session, editing.Wording("Ny park i Farsta", "Den är stor."), [], now=now)
    told = editing.add(session, editing.Wording("Mer om parken i Farsta"), ["bromma", "Skola"], now=now)

    assert listing.show(session, found, now=now).reasons == {"farsta": "Farsta"}
    assert listing.show(session, told, now=now).reasons == {"bromma": "by hand", "skola": "by hand"}


def test_a_title_is_written_once(session: Session, now: datetime):
    editing.add(session, editing.Wording("Ny park"), [], now=now)

    with pytest.raises(Mistake, match="has this title already"):
        editing.add(session, editing.Wording("  ny  PARK "), [], now=now)


@pytest.mark.parametrize("wording", [editing.Wording(" "), editing.Wording("Titel", url="javascript:alert(1)")])
def test_what_cannot_be_news_is_refused(session: Session, now: datetime, wording: editing.Wording):
    with pytest.raises(Mistake):
        editing.add(session, wording, [], now=now)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("bromma", (TagKind.DISTRICT, "bromma")),
        ("Hägersten-Älvsjö", (TagKind.DISTRICT, "hagersten-alvsjo")),
        ("VÅRD OCH OMSORG", (TagKind.TOPIC, "vard-och-omsorg")),
        ("Schools", (TagKind.TOPIC, "skola")),
    ],
)
def test_a_tag_is_found_by_slug_or_name(session: Session, said: str, found: tuple[TagKind, str]):
    assert find_tag(session, said) == found


def test_an_unknown_district_names_what_is_spelled_alike(session: Session):
    with pytest.raises(Mistake, match="Did you mean skarpnack"):
        find_tag(session, "Skarpnak")
    with pytest.raises(Mistake, match="no district or topic qqq"):
        find_tag(session, "qqq")


def test_the_state_says_what_stands_in_the_way(now: datetime):
    yesterday = now - timedelta(days=1)

    assert listing.state_of(a_news_item(), now) is State.APPROVED
    assert listing.state_of(a_news_item(approved=False), now) is State.WAITING
    assert listing.state_of(a_news_item(expires_at=yesterday, approved=False), now) is State.EXPIRED
    assert listing.state_of(a_news_item(expires_at=now + timedelta(days=1)), now) is State.APPROVED
    assert listing.state_of(a_news_item(expires_at=yesterday, hidden=True), now) is State.HIDDEN


def test_a_listing_can_be_narrowed(session: Session, now: datetime):
    for title, hidden in (("Ny park i Farsta", False), ("Skolan i Farsta", True), ("Ny bro", False)):
        editing.add(session, editing.Wording(title), [], now=now).hidden = hidden
    session.flush()

    def titles(**wanted: object) -> list[str]:
        return [entry.title for entry in listing.list_news(session, Wanted(**wanted), now=now)]

    assert titles(tag=(TagKind.DISTRICT, "farsta")) == ["Ny park i Farsta", "Skolan i Farsta"]
    assert titles(state=State.HIDDEN) == ["Skolan i Farsta"]
    assert titles(source="own", limit=1) == ["Ny park i Farsta"]
    assert titles(source="elsewhere") == []
