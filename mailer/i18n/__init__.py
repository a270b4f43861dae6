"""Languages: English sentences in the code, one .po file per other language beside this file."""

import gettext
import io
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("sv", "en")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of `language`; English and unknown ones say the sentence itself.

    The .po is compiled in memory, so there is no build step and no stale .mo file.
    """
    path = Path(__file__).with_name(f"{language}.po")
    if language not in LANGUAGES or not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as source:
        catalog = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def spoken(language: str, otherwise: str) -> str:
    """Return `language` if we speak it: a register, or who asks for a page, may name any."""
    return language if language in LANGUAGES else otherwise


def language_of(environ: Mapping[str, str]) -> str:
    """Read the terminal's language as gettext does: LC_ALL, LC_MESSAGES, LANG; English when none fits."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        if value:
            return "sv" if value.startswith("sv") else "en"
    return "en"


# The language of the person at this terminal or behind this request; never of the member a mail is for.
speaking: ContextVar[str] = ContextVar("speaking", default="en")


def _(sentence: str) -> str:
    """Translate for the person in front of us."""
    return translations(speaking.get()).gettext(sentence)


def ngettext(one: str, many: str, number: int) -> str:
    """Translate, in the form that `number` asks for."""
    return translations(speaking.get()).ngettext(one, many, number)
