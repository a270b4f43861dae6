"""What the archive shows of an edition: for each district what a reader would have got who chose it and no topic.

Such a reader has had what the archive showed for that district before, so no issue repeats an earlier one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from mailer.digest import gather
from mailer.digest.contents import Json, title_of
from mailer.digest.plan import Basis, Form, form_of, imagined, letterheads
from mailer.i18n import LANGUAGES
from mailer.outbox import archive
from mailer.outbox.enqueue import Shelf

Shelves = Mapping[Form, Sequence[Shelf]]


def shelve(connection: sa.Connection, basis: Basis) -> Shelves:
    """Decide what stands for each district, and for none in particular; nothing when config wants no archive."""
    publication = basis.edition.publication
    if basis.settings.publications[publication].archive == "none":
        return {}
    had = {district: _mask(basis.told, sent) for district, sent in archive.told(connection, publication).items()}
    signs = letterheads(basis)
    shelves: defaultdict[Form, list[Shelf]] = defaultdict(list)
    for district in ("", *basis.names["district"]):
        for language in LANGUAGES:
            reader = imagined(frozenset({district} - {""}), basis, language)
            number = basis.decisions.number(reader, had.get(district, 0))
            if number is not None:
                shelves[form_of(reader, number, signs, basis.settings)].append(Shelf(district, _title(basis, number)))
    return shelves


def _mask(told: gather.Told, sent: Sequence[tuple[int, int]]) -> int:
    mask = 0
    for mailing, variant in sent:
        mask |= told.get(mailing, {}).get(variant, 0)
    return mask


def _title(basis: Basis, number: int) -> str:
    pieces: list[Json] = [basis.candidates.pieces[item] for item in basis.digest(number).items]
    return title_of(basis.edition.subject, pieces)
