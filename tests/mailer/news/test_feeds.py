from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.feeds import parse_feed
from mailer.news.parsed import BrokenFeed

EXAMPLE = Path(__file__).parents[3] / "examples" / "feed.xml"

RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0"><channel><title>t</title>
<item><guid isPermaLink="false">1</guid>
<title>Räksmörgås &amp; ”kaffe”</title><link>/a</link>
<pubDate>Thu, 22 Feb 2024 10:00:00 +0100</pubDate>
<description>&lt;p&gt;Ett &lt;b&gt;stycke&lt;/b&gt;.&lt;/p&gt;
&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;Två&lt;/p&gt;</description>
<enclosure url="https://example.org/bild.jpg" type="image/jpeg" length="1"/></item>
</channel></rss>"""

ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>
<entry><id>urn:1</id><title type="html">A &amp;amp; &lt;i&gt;B&lt;/i&gt;</title><link href="https://example.org/1"/>
<updated>2024-02-22T10:00:00+01:00</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Ett</p><p>Se <a href="/plan">planen</a>.
<img src="/b.png" alt="En bro"/></p></div></content></entry>
<entry><title>Bara titel, 5 &lt; 6</title><summary>rad ett</summary></entry></feed>"""


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16"])
def test_an_rss_item_is_read_whole_in_any_declared_encoding(encoding: str):
    text = RSS.format(encoding=encoding)

    (item,) = parse_feed(text.encode(encoding), base="https://example.org/feed")

    assert item.guid == "1"
    assert item.title == "Räksmörgås & ”kaffe”"
    assert item.body == "Ett stycke.\n\nTvå"
    assert item.url == "https://example.org/a"
    assert item.published_at == datetime(2024, 2, 22, 9, 0, tzinfo=UTC)
    assert item.image_url == "https://example.org/bild.jpg"


def test_an_atom_entry_keeps_its_paragraphs_link_addresses_and_picture():
    first, second = parse_feed(ATOM.encode(), base="https://example.org/feed")

    assert first.title == "A & B"
    assert first.body == "Ett\n\nSe planen (https://example.org/plan)."
    assert (first.image_url, first.image_alt) == ("https://example.org/b.png", "En bro")
    assert (second.title, second.body, second.url) == ("Bara titel, 5 < 6", "rad ett", None)
    assert second.guid.startswith("title:")


def test_a_date_nobody_can_read_is_none():
    (item,) = parse_feed(RSS.format(encoding="utf-8").replace("Thu, 22 Feb 2024 10:00:00 +0100", "nyss").encode())

    assert item.published_at is None


def test_an_item_without_a_title_is_named_by_its_first_line_and_one_without_anything_is_left_out():
    """RSS 2.0 asks for a title or a description, not for both."""
    untitled = RSS.format(encoding="utf-8").replace("Räksmörgås &amp; ”kaffe”", "")

    [item] = parse_feed(untitled.encode())

    assert (item.title, item.body) == ("Ett stycke.", "Två")
    assert parse_feed(b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>") == []


def test_an_empty_feed_is_no_error():
    assert parse_feed(b'<rss version="2.0"><channel><title>t</title></channel></rss>') == []


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>404</body></html>", b"hej", b"/etc/hostname", b"http://127.0.0.1/"]
)
def test_what_is_no_feed_is_a_named_error_and_never_opened_as_a_file_or_an_address(content: bytes):
    with pytest.raises(BrokenFeed):
        parse_feed(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_feed_that_declares_entities_is_refused(encoding: str):
    bomb = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + RSS.format(
        encoding="utf-8"
    ).partition("\n")[2].replace("Räksmörgås", "&a;")

    with pytest.raises(BrokenFeed):
        parse_feed(bomb.encode(encoding), charset=encoding)


def test_the_example_feed_has_six_items_with_links_and_dates():
    items = parse_feed(EXAMPLE.read_bytes())

    assert len(items) == 6
    assert all(item.url and item.published_at and item.body for item in items)
    assert items[0].body.endswith("Läs hela förslaget (https://nyhet.example.org/2024/forslaget.pdf).")


@given(st.text(max_size=200))
def test_no_description_breaks_the_reader_or_leaves_markup_behind(said: str):
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    content = RSS.format(encoding="utf-8").replace("Två&lt;/p&gt;", f"{escaped}&lt;/p&gt;")

    for item in parse_feed(content.encode("utf-8", errors="replace")):
        assert "<script" not in item.body
        assert "alert(1)" not in item.body


def test_a_feed_that_was_cut_off_is_broken():
    with pytest.raises(BrokenFeed):
        parse_feed(b'<?xml version="1.0"?><rss version="2.0"><channel><item', charset=None, base=None)
