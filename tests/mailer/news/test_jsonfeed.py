import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.jsonfeed import looks_like_json, parse_json_feed
from mailer.news.parsed import BrokenFeed

ZONE = ZoneInfo("Europe/Stockholm")


def parsed(*items: object):
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": list(items)}
    return parse_json_feed(json.dumps(feed).encode(), zone=ZONE, base="https://example.org/feed.json")


def test_an_item_is_read_whole():
    (item,) = parsed(
        {
            "id": 7,
            "url": "/a",
            "title": "Nytt <badhus>",
            "content_html": "<p>Ett</p><p>Två<br>rader</p>",
            "date_published": "2024-02-22T10:00:00",
            "image": "/bild.png",
        }
    )

    assert (item.guid, item.title, item.url) == ("7", "Nytt <badhus>", "https://example.org/a")
    assert item.body == "Ett\n\nTvå\nrader"
    assert item.published_at == datetime(2024, 2, 22, 9, 0, tzinfo=UTC)  # a time without offset is local
    assert item.image_url == "https://example.org/bild.png"


def test_an_item_without_a_title_is_named_by_its_first_line():
    (item,) = parsed({"id": "1", "content_text": "Första raden\nAndra"})

    assert (item.title, item.body) == ("Första raden", "Andra")


def test_a_text_that_is_its_title_is_not_said_twice():
    same, untitled = parsed(
        {"id": "1", "title": "Bron är klar", "content_html": "<p>Bron är klar</p>"},
        {"id": "2", "content_text": "Bron är klar"},
    )

    assert (same.title, same.body) == (untitled.title, untitled.body) == ("Bron är klar", "")


def test_of_a_long_text_without_a_title_the_beginning_is_its_title_and_nothing_is_lost():
    text = "Den nya gångbron över kanalen öppnar, " * 5

    (item,) = parsed({"id": "1", "content_text": text.strip()})

    assert item.body == text.strip()
    assert item.title.endswith("…")
    assert text.startswith(item.title[:-1])
    assert len(item.title) <= 121


def test_a_byte_order_mark_does_not_hide_that_it_is_json():
    assert looks_like_json(b'\xef\xbb\xbf {"items": []}')
    assert not looks_like_json(b"<rss/>")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"items": 3}', b'{"title": "t"}', b"[" * 100_000])
def test_what_is_no_json_feed_is_a_named_error(content: bytes):
    with pytest.raises(BrokenFeed):
        parse_json_feed(content, zone=ZONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["id", "url", "title", "content_html", "content_text", "date_published", "image", "summary"])


@given(st.lists(st.dictionaries(FIELDS, JSON), max_size=4))
def test_no_types_of_values_crash_the_reader(items: list[dict[str, object]]):
    for item in parsed(*items):
        assert item.title
        assert item.guid
