"""What the archive shows of a campaign: one to all who get a publication stands there, for every district. Pure.

One that went to fewer stands nowhere: by what they chose, or what they are, its readers could be known.
"""

import hashlib
from collections.abc import Iterable

from mailer.campaigns.content import subjects_of
from mailer.campaigns.markup import Json
from mailer.campaigns.plan import Form, Shelves
from mailer.i18n import LANGUAGES
from mailer.outbox.enqueue import Shelf

_LONGEST = 32  # what an address of the archive has room for
_OWN = 8  # hexadecimal digits that set two long names apart


def shelves(content: Json, districts: Iterable[str]) -> Shelves:
    """Return where the forms of a letter stand: as somebody reads it who gets HTML and the first of its subjects."""
    versions = content["versions"]
    first = next(iter(versions))
    found: dict[Form, list[Shelf]] = {}
    for district in ("", *districts):
        for language in LANGUAGES:
            written = language if language in versions else first
            shelf = Shelf(district, subjects_of(versions[written])[0], language)
            found.setdefault(Form(written, plain_only=False, subject=0), []).append(shelf)
    return found


def issue_of(name: str) -> str:
    """Return what the archive's addresses call a campaign."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - _OWN - 1]}-{hashlib.sha256(name.encode()).hexdigest()[:_OWN]}"
