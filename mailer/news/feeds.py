"""RSS and Atom, read by feedparser; JSON Feed goes to its own small reader."""

import io
import re
from datetime import UTC, datetime
from time import struct_time
from typing import Any

import feedparser

from mailer.news.decoding import decode
from mailer.news.markup import Picture, best_picture, text_of, title_of, web_address
from mailer.news.parsed import MAX_ITEMS, BrokenFeed, ParsedItem, guid_of_title, headed, one_line, stable_guid

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


def parse_feed(content: bytes, *, charset: str | None = None, base: str = "") -> list[ParsedItem]:
    """Read an RSS or Atom feed, in its order. An empty feed is no error; a slip of its syntax is forgiven.

    raises  BrokenFeed when it is no feed, or declares entities (a known way to make a small file huge, or to
            have the reader open other files; no news feed needs them)
    """
    text = _DECLARATION.sub("", decode(content, charset))
    if "<!ENTITY" in text.upper():
        raise BrokenFeed("The feed declares XML entities, which may be an attack; it is not read.")
    # As a stream: a string or bytes could be taken for a file name or an address and be opened.
    feed = feedparser.parse(
        io.BytesIO(text.encode("utf-8", errors="replace")),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": base},
        sanitize_html=False,  # markup.text_of keeps no markup at all
    )
    if not feed.entries and (feed.get("bozo") or not feed.get("version")):  # cut off in transit, or no feed at all
        raise BrokenFeed("The answer is not an RSS or Atom feed.")
    return [item for entry in feed.entries[:MAX_ITEMS] if (item := _item(entry, base))]


def _item(entry: Any, base: str) -> ParsedItem | None:
    """Read an entry. `dict.get`, because feedparser's own warns when one date stands in for the other."""
    html = _html(entry)
    url = web_address(entry.get("link"), base)
    title, body = headed(_title(entry), text_of(html, base=url or base))
    if not title:
        return None
    picture = best_picture(html, url or base, named=_picture(entry, base))
    return ParsedItem(
        guid=stable_guid(str(entry.get("id") or url or guid_of_title(title))),
        title=title,
        body=body,
        url=url,
        published_at=_moment(entry.get("published_parsed") or dict.get(entry, "updated_parsed")),
        image_url=picture.url if picture else None,
        image_alt=picture.alt if picture else "",
    )


def _title(entry: Any) -> str:
    said = entry.get("title", "")
    markup = "html" in entry.get("title_detail", {}).get("type", "")
    return title_of(said) if markup else one_line(said)


def _html(entry: Any) -> str:
    """Return the whole text when the feed has it, else the summary, as HTML."""
    details = [*entry.get("content", []), entry.get("summary_detail") or {}]
    said = next((detail for detail in details if detail.get("value")), {"value": "", "type": "text/html"})
    value = str(said["value"])
    if said.get("type") == "text/plain":
        escaped = value.replace("&", "&amp;").replace("<", "&lt;")
        return "<p>" + "</p><p>".join(re.split(r"\n\s*\n", escaped)).replace("\n", "<br>") + "</p>"
    return value


def _moment(parsed: struct_time | None) -> datetime | None:
    """Turn feedparser's UTC tuple into an aware time."""
    if parsed is None:
        return None
    try:
        return datetime(*parsed[:6], tzinfo=UTC)
    except ValueError:
        return None


def _picture(entry: Any, base: str) -> Picture | None:
    """Find a picture among enclosures and Media RSS."""
    for media in [*entry.get("media_content", []), *entry.get("enclosures", [])]:
        if media.get("medium") == "image" or str(media.get("type", "")).startswith("image/"):
            url = web_address(media.get("url") or media.get("href"), base)
            if url:
                return Picture(url, one_line(entry.get("media_description") or entry.get("media_title") or ""))
    return None
