"""Pages from templates, in the reader's language."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import jinja2
from babel.dates import format_date
from fastapi.responses import HTMLResponse

from mailer.config import Settings
from mailer.config.site import Site
from mailer.i18n import spoken, translations
from mailer.message.characters import one_line

FOLDER = Path(__file__).with_name("pages")
STATIC = {name: (FOLDER / name).read_bytes() for name in ("pages.css", "icon.svg")}
VERSION = hashlib.sha256(b"".join(STATIC.values())).hexdigest()[:12]  # in their address, so they may be kept


@cache
def environment(language: str) -> jinja2.Environment:
    """Return the templates with their sentences in `language`; what a template misspells raises."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    templates.globals["language"] = language
    templates.filters["long_date"] = lambda day: _long_date(day, language)
    templates.filters["moment"] = _moment
    templates.filters["one_line"] = one_line
    templates.filters["stamp"] = _stamp
    templates.filters["day"] = lambda moment, site: moment.astimezone(site.zone).date().isoformat()
    templates.filters["short_date"] = lambda moment, site: _short_date(moment.astimezone(site.zone).date(), language)
    return templates


def _long_date(day: date, language: str) -> str:
    return format_date(day, "long", locale=language)


def _short_date(day: date, language: str) -> str:
    return format_date(day, "d MMMM", locale=language)


def _stamp(moment: datetime | None) -> str:
    """Write a moment as RFC 3339 wants it; nothing has been since 1970."""
    return f"{(moment or datetime.fromtimestamp(0, UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(moment: datetime, site: Site) -> str:
    """Write a moment as the clocks show it where the site is, as every other time on a page."""
    return f"{moment.astimezone(site.zone):%Y-%m-%d %H:%M}"


class Pages:
    """Makes the answers of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._otherwise = settings.site.language
        self._shared = {
            "site": settings.site,
            "prefix": urlsplit(settings.site.base_url).path,
            "version": VERSION,
        }

    def answer(
        self,
        template: str,
        language: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] = MappingProxyType({}),
        **values: object,
    ) -> HTMLResponse:
        """Return `template` filled with `values`; in the site's language when we do not speak `language`."""
        language = spoken(language, self._otherwise)
        page = self.written(template, language, **values)
        return HTMLResponse(page, status_code=status, headers={"Content-Language": language, **headers})

    def written(self, template: str, language: str, **values: object) -> str:
        return environment(language).get_template(template).render(**self._shared, **values)
