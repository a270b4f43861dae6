"""What every parser gives back: an article as its source tells it, before anybody here judged it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from mailer.errors import Trouble

MAX_ITEMS = 1000  # of one source; more is a mistake or an attack
MAX_TITLE = 1000  # characters
MAX_BODY = 50_000  # characters, about twenty printed pages
_LONGEST_FIRST_LINE = 120  # characters, to be taken for a title
_MAX_GUID = 500  # the column's width

# Control characters have no business in a mail; tab and line feed are the two that text needs.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\n\r\f]+")  # not the no-break space: it is there on purpose
_BREAKS = re.compile(r"\n{3,}")


class BrokenSource(Trouble):
    """A source gave nothing we can use. The sentence says why; the other sources go on."""


class BrokenFeed(BrokenSource):
    """The answer is no RSS, Atom or JSON feed."""


class BrokenPage(BrokenSource):
    """The page holds no article where the selectors of the config point."""


class BrokenList(BrokenSource):
    """The text holds no item that starts with a bullet."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a source said about its last answer, to be told back to it (RFC 9110 §13)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture in the data folder's images/. `width` and `height` are those to show it at, in CSS pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """One article. `body` is plain text with a blank line between paragraphs; `guid` is stable over fetches.

    `image_url` is where the source keeps the picture: it is copied from there and never linked.
    """

    guid: str
    title: str
    body: str
    url: str | None = None
    published_at: datetime | None = None
    image_url: str | None = None
    image_alt: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the source says; a different one means that the source changed the article."""
        moment = self.published_at and self.published_at.astimezone(UTC).isoformat()
        said = (self.title, self.body, self.url, moment, self.image_url, self.image_alt)
        return hashlib.sha256(repr(said).encode()).hexdigest()


def one_line(text: str) -> str:
    """Fold every run of ordinary white space into one space; no-break spaces stay."""
    return _CONTROLS.sub("", _SPACE.sub(" ", text)).strip(" ")[:MAX_TITLE]


def paragraphs(text: str) -> str:
    """Drop control characters and surplus blank lines; lines and no-break spaces stay as they are."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    clean = _CONTROLS.sub("", "\n".join(line.rstrip(" \t") for line in lines))
    return _BREAKS.sub("\n\n", clean).strip("\n")[:MAX_BODY]


def headed(title: str, body: str) -> tuple[str, str]:
    """Return title and body of an article so that neither says again what the other says.

    Without a title its first line is the title; of a long one the beginning, and the body stays whole.
    """
    first, _, rest = body.partition("\n")
    first = one_line(first)
    if not title and len(first) > _LONGEST_FIRST_LINE:
        return first[:_LONGEST_FIRST_LINE].rsplit(" ", 1)[0].rstrip(" ,.;:–-") + "…", body
    if not title or title == first:
        return first, rest.strip("\n")
    return title, body


def stable_guid(said: str) -> str:
    """Return the source's own id, without what no column takes, shortened by hashing when it does not fit."""
    said = _CONTROLS.sub("", said)
    return said if len(said) <= _MAX_GUID else hashlib.sha256(said.encode()).hexdigest()


def guid_of_title(title: str) -> str:
    """Return an id for an article whose source gives none: the same title is the same article."""
    plain = " ".join(title.split()).casefold()
    return "title:" + hashlib.sha256(plain.encode()).hexdigest()[:32]


def without_password(url: str) -> str:
    """Return `url` without user and password: it is shown, and links of the articles are built upon it."""
    return re.sub(r"(?<=://)[^/?#]*@", "", url)
