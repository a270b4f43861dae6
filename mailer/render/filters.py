"""What templates may do with the words of a letter: pure functions, known to them by their names here."""

import re
from datetime import date
from functools import lru_cache
from html import escape

from babel.dates import format_date
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from mailer.i18n import translations
from mailer.message.characters import one_line
from mailer.message.headers import Refused, addr_spec, url
from mailer.render.personal import otherwise
from mailer.sentences import N_

PREHEADER = range(40, 91)  # characters: shorter, and the first line of the letter follows; longer is cut off anyway
# Keeps mail programs from filling the rest of the preview with the letter's first words.
_PADDING = Markup("&#847;&zwnj;&nbsp;") * 60
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}(?: \d{3})+(?!\d)")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


@pass_context
def day(context: Context, when: date | str) -> str:
    """Write a date, or one in ISO form, as the reader's language does: 17 November."""
    return _written(date.fromisoformat(when[:10]) if isinstance(when, str) else when, context["language"])


@lru_cache(maxsize=256)
def _written(when: date, language: str) -> str:
    return format_date(when, "d MMMM", locale=language)


@pass_context
def edition_name(context: Context, edition: str) -> str:
    """Write 2026-W47 as week 47, 2026; any other name of an edition stays as it is."""
    return _named(edition, context["language"])


@lru_cache(maxsize=256)
def _named(edition: str, language: str) -> str:
    week = _WEEK.fullmatch(edition)
    if week is None:
        return edition
    return translations(language).gettext(N_("week %(week)s, %(year)s")) % {"week": int(week[2]), "year": week[1]}


def paragraphs(text: str | None) -> list[str]:
    """Split at blank lines; lines inside a paragraph stay."""
    return [part.strip("\n") for part in re.split(r"\n(?:[ \xa0]*\n)+", text or "") if part.strip()]


def whole_numbers(text: str) -> str:
    """Keep the thousands of a number together: 48 500 at the end of a line is neither 48 nor 500."""
    return _THOUSANDS.sub(lambda number: number[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def breaks(text: str) -> Markup:
    """Escape a paragraph for HTML, its lines kept apart."""
    return Markup("<br>".join(escape(line) for line in text.split("\n")))  # noqa: S704 - each line is escaped


def web_link(address: str | None) -> str | None:
    """Return a link that may stand in a letter, or None: news comes from anywhere, and so do `javascript:` links."""
    try:
        return url("a link", address or "").decode("ascii")
    except Refused:
        return None


def contact_link(contact: str) -> str | None:
    """Return where a click on `contact` leads: a web page, a mail; None for a telephone number or words."""
    try:
        return "mailto:" + addr_spec("contact", contact).decode("ascii")
    except Refused:
        return web_link(contact)


def preheader(candidates: list[str | None]) -> Markup:
    """Join as many of `candidates` as fill the preview line of an inbox, cut at a word, and pad it."""
    text = ""
    for candidate in filter(None, candidates):
        text = f"{text} · {one_line(candidate)}".removeprefix(" · ")
        if len(text) >= PREHEADER.start:
            break
    return Markup(escape(_shortened(text))) + _PADDING  # noqa: S704 - escaped


def _shortened(text: str) -> str:
    room = PREHEADER.stop - 1
    if len(text) <= room:
        return text
    whole_words = text[:room].rpartition(" ")[0]
    return (whole_words if len(whole_words) >= PREHEADER.start else text[: room - 1]).rstrip(" ,.;:·–-") + "…"


FILTERS = {
    function.__name__: function
    for function in (
        day,
        edition_name,
        paragraphs,
        whole_numbers,
        breaks,
        web_link,
        contact_link,
        preheader,
        one_line,
        otherwise,
    )
}
