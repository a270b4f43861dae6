"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
from datetime import tzinfo
from typing import Any

from mailer.news.decoding import decode
from mailer.news.markup import Picture, best_picture, text_of, web_address
from mailer.news.moments import parse_moment
from mailer.news.parsed import (
    MAX_ITEMS,
    BrokenFeed,
    ParsedItem,
    guid_of_title,
    headed,
    one_line,
    paragraphs,
    stable_guid,
)


def looks_like_json(content: bytes) -> bool:
    """Tell JSON from XML by the first character."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def parse_json_feed(content: bytes, *, zone: tzinfo, base: str = "") -> list[ParsedItem]:
    """Read a JSON Feed, in its order; an item that is no object, or says nothing, is left out.

    raises  BrokenFeed when it is no JSON or no JSON Feed
    """
    try:
        feed = json.loads(decode(content))
    except (ValueError, RecursionError):
        raise BrokenFeed("The answer is not a JSON Feed: it is not valid JSON.") from None
    entries = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(entries, list):
        raise BrokenFeed("The answer is not a JSON Feed: it has no list of items.")
    entries = [entry for entry in entries[:MAX_ITEMS] if isinstance(entry, dict)]
    return [item for entry in entries if (item := _item(entry, zone, base))]


def _item(entry: dict[str, Any], zone: tzinfo, base: str) -> ParsedItem | None:
    html = _text(entry, "content_html")
    url = web_address(_text(entry, "url") or _text(entry, "external_url"), base)
    body = text_of(html, base=url or base) if html else paragraphs(_text(entry, "content_text"))
    title, body = headed(one_line(_text(entry, "title")), body or paragraphs(_text(entry, "summary")))
    if not title:
        return None
    picture = best_picture(html, url or base, named=_picture(entry, base))
    return ParsedItem(
        guid=stable_guid(str(entry.get("id") or url or guid_of_title(title))),
        title=title,
        body=body,
        url=url,
        published_at=parse_moment(_text(entry, "date_published") or _text(entry, "date_modified"), zone),
        image_url=picture.url if picture else None,
        image_alt=picture.alt if picture else "",
    )


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _picture(entry: dict[str, Any], base: str) -> Picture | None:
    url = web_address(_text(entry, "image") or _text(entry, "banner_image"), base)
    return Picture(url, "") if url else None
