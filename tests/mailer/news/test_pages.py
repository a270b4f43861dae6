import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailer.config.news import PageSelectors
from mailer.news.pages import parse_page
from mailer.news.parsed import BrokenPage, ParsedItem

ZONE = ZoneInfo("Europe/Stockholm")
SELECT = PageSelectors(item="article", title="h2", body=".text", date=".date")
PAGE = """<!doctype html><html><head><meta charset="utf-8"></head><body><nav><a href="/x">Meny</a></nav>
<article><h2>Ny <em>park</em> &amp; lek</h2><img src="park.jpg" alt="Barn i en park"><div class="text"><p>Ett.</p>
<p>Två.</p></div><span class="date">22 februari 2024 kl 10.30</span>
<a href="/nyheter/park">Läs mer om parken</a></article>
<article><h2>Utan länk</h2><time class="date" datetime="2024-02-21">i går</time></article>
<article><p>Annons</p></article></body></html>"""


def parsed(page: str = PAGE, select: PageSelectors = SELECT) -> list[ParsedItem]:
    return parse_page(page.encode(), select, zone=ZONE, base="https://example.org/nyheter/")


def test_the_selectors_find_title_text_link_date_and_picture():
    first, second = parsed()

    assert first == ParsedItem(
        guid="https://example.org/nyheter/park",
        title="Ny park & lek",
        body="Ett.\n\nTvå.",
        url="https://example.org/nyheter/park",
        published_at=datetime(2024, 2, 22, 9, 30, tzinfo=UTC),
        image_url="https://example.org/nyheter/park.jpg",
        image_alt="Barn i en park",
    )
    assert (second.title, second.url) == ("Utan länk", None)
    assert second.published_at == datetime(2024, 2, 20, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize("item", ["section", "article[", "::nope("])
def test_a_page_where_the_selectors_find_nothing_is_a_named_error(item: str):
    with pytest.raises(BrokenPage):
        parsed(select=PageSelectors(item=item, title="h2"))


def test_a_page_in_latin_letters_of_one_byte_is_read_by_its_own_word():
    page = PAGE.replace("utf-8", "iso-8859-1").replace("Utan länk", "Å, ä och ö")

    items = parse_page(page.encode("latin-1"), SELECT, zone=ZONE)

    assert items[1].title == "Å, ä och ö"


def test_parts_inside_one_another_do_not_repeat_the_page_endlessly():
    nested = "<article><h2>Bro</h2>" + '<div class="text">x' * 5_000 + "</article>"
    begun = time.process_time()

    assert len(parsed(nested)) == 1
    assert time.process_time() - begun < 20
