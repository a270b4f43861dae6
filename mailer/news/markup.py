"""HTML to plain paragraphs. Nothing of a source's markup is stored, so nothing of it can reach a mail or a page."""

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import nh3
from selectolax.lexbor import LexborHTMLParser

from mailer.news.parsed import one_line, paragraphs

_BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table", "tr", "pre", "figure"}
LONGEST_TITLE = 10_000  # characters with its markup
LONGEST_HTML = 100_000  # characters: cleaning deeply nested tags takes the square of their number
_KEPT = _BLOCKS | {"br", "li", "a", "td", "th"}
_DATA = re.compile(r"data:[\w/+.-]*;base64,[\w/+=%-]*", re.IGNORECASE)  # a picture inside: long, and no text
_SIZE = re.compile(r"-\d{2,5}x\d{2,5}(?=\.\w+$)")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_NOT_IN_ADDRESS = re.compile(r"[\s<>\"\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of an article: its absolute address, and the words that stand in for it."""

    url: str
    alt: str


def text_of(html: str, *, base: str = "") -> str:
    """Turn HTML into paragraphs with a blank line between; a link keeps its address: "the plan (https://...)"."""
    html = _DATA.sub("", html)[:LONGEST_HTML]
    safe = nh3.clean(html, tags=_KEPT, attributes={"a": {"href"}}, url_schemes={"http", "https"}, link_rel=None)
    reader = _Paragraphs(base)
    reader.feed(safe)
    reader.close()
    return paragraphs(reader.text())


def title_of(html: str) -> str:
    """Turn a title that may hold markup or entities into one line."""
    return one_line(unescape(nh3.clean(html[:LONGEST_TITLE], tags=set())))


def web_address(link: str | None, base: str = "") -> str | None:
    """Return `link` as an absolute http(s) address, None when it is anything else.

    A name and password in it are left out: they are ours from the source's address, or feign another host. So does a
    backslash, which browsers take for a slash and urllib does not.
    """
    if not link:
        return None
    try:
        absolute = urljoin(base, link.strip())
        parts = urlsplit(absolute)
    except ValueError:  # urllib's word for a malformed host
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or _NOT_IN_ADDRESS.search(absolute):
        return None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def best_picture(html: str, base: str = "", *, named: Picture | None = None) -> Picture | None:
    """Choose an article's picture: the one its feed names, else the first of the text; None when it has none.

    A feed seldom has words for the picture it names. They are taken from the text when it shows the same one; when
    not, the text's first picture with words is chosen, because a picture without any tells a blind reader nothing.
    """
    if named and named.alt:
        return named
    shown = _pictures(html, base)
    with_words = [picture for picture in shown if picture.alt]
    if named:
        same = [picture for picture in with_words if _file(picture.url) == _file(named.url)]
        return Picture(named.url, same[0].alt) if same else next(iter(with_words), named)
    return next(iter(shown), None)


def _pictures(html: str, base: str) -> list[Picture]:
    html = html[:LONGEST_HTML]
    found = []
    for image in LexborHTMLParser(html).css("img") if "<img" in html.lower() else ():
        said = image.attributes
        url = web_address(said.get("src"), base)
        if url and "1" not in {said.get("width"), said.get("height")}:  # one pixel is a counter, not a picture
            found.append(Picture(url, one_line(said.get("alt") or "")))
    return found


def _file(url: str) -> str:
    """Return what a picture's copies in several sizes share: "/a/bridge-300x200.jpg?w=1" gives "/a/bridge.jpg"."""
    return _SIZE.sub("", urlsplit(url).path)


class _Paragraphs(HTMLParser):
    """Reads what nh3 left over: few tags, all well-formed."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = base
        self._done: list[str] = []
        self._line = ""
        self._link: tuple[str, int] | None = None  # address, and where its words begin

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._break("\n\n")
        elif tag == "br":
            self._break("\n")
        elif tag == "li":
            self._break("\n")
            self._line = "• "
        elif tag in {"td", "th"} and self._line:
            self._line += " "
        elif tag == "a":
            address = web_address(dict(attrs).get("href"), self._base)
            self._link = (address, len(self._line)) if address else None

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._break("\n\n")
        elif tag == "a" and self._link:
            address, start = self._link
            if self._line[start:].strip() not in {"", address}:
                self._line += f" ({address})"
            self._link = None

    def handle_data(self, data: str) -> None:
        folded = _SPACE.sub(" ", data)
        self._line += folded.lstrip(" ") if self._line.endswith((" ", "\n")) or not self._line else folded

    def _break(self, space: str) -> None:
        if self._line.strip(" "):
            self._done.append(self._line.strip(" "))
        self._line = ""
        self._link = None
        self._done.append(space)

    def text(self) -> str:
        self._break("\n\n")
        return re.sub(r"\n{2,}", "\n\n", "".join(self._done))
