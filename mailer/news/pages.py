"""A news page without a feed, read by the CSS selectors that the config gives."""

from datetime import datetime, tzinfo

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from mailer.config.news import PageSelectors
from mailer.news.decoding import decode
from mailer.news.markup import LONGEST_HTML, best_picture, text_of, title_of, web_address
from mailer.news.moments import parse_moment
from mailer.news.parsed import MAX_ITEMS, BrokenPage, ParsedItem, guid_of_title, stable_guid


def parse_page(
    content: bytes, select: PageSelectors, *, zone: tzinfo, charset: str | None = None, base: str = ""
) -> list[ParsedItem]:
    """Read the articles of a page, in its order.

    raises  BrokenPage when a selector is malformed or finds nothing: the page was probably rebuilt
    """
    tree = LexborHTMLParser(decode(content, charset))
    try:
        nodes = tree.css(select.item)[:MAX_ITEMS]
        items = [item for node in nodes if (item := _item(node, select, zone, base))]
    except (SelectolaxError, ValueError):
        raise BrokenPage("A CSS selector of this source is malformed; correct it in the config.") from None
    if not items:
        raise BrokenPage("The page has no article at {selector}; look whether it was rebuilt.", selector=select.item)
    return items


def _item(node: LexborNode, select: PageSelectors, zone: tzinfo, base: str) -> ParsedItem | None:
    heading = node.css_first(select.title)
    title = title_of(heading.inner_html or "") if heading else ""
    if not title:
        return None
    link = node if node.tag == "a" and select.link == "a" else node.css_first(select.link)
    url = web_address(link.attributes.get("href"), base) if link else None
    picture = best_picture(node.html or "", base)
    return ParsedItem(
        guid=stable_guid(url or guid_of_title(title)),
        title=title,
        body=text_of(_body(node, select.body), base=base) if select.body else "",
        url=url,
        published_at=_moment(node, select.date, zone) if select.date else None,
        image_url=picture.url if picture else None,
        image_alt=picture.alt if picture else "",
    )


def _body(node: LexborNode, selector: str) -> str:
    """Join what the selector finds, as far as it is read: parts inside one another would repeat the page endlessly."""
    html = ""
    for part in node.css(selector):
        html += f"<div>{part.inner_html or ''}</div>"
        if len(html) > LONGEST_HTML:
            break
    return html


def _moment(node: LexborNode, selector: str, zone: tzinfo) -> datetime | None:
    found = node.css_first(selector)
    if found is None:
        return None
    return parse_moment(found.attributes.get("datetime"), zone) or parse_moment(found.text(strip=True), zone)
