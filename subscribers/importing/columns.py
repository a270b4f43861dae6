"""Which column means what: known by its heading in Swedish or English, said by a person, or remembered."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from subscribers.errors import Refused
from subscribers.importing.identity import is_identity_number
from subscribers.importing.line import Line

# Headings as they are met, without spaces, dots, dashes and case; the first of a field is its name here.
FIELDS: dict[str, tuple[str, ...]] = {
    "number": ("number", "medlemsnummer", "medlemsnr", "medlnr", "medlemsid", "membernumber", "memberno", "memberid"),
    "address": ("address", "epost", "epostadress", "mejl", "mejladress", "email", "emailaddress", "mail", "mailadress"),
    "given_name": ("givenname", "förnamn", "tilltalsnamn", "firstname"),
    "family_name": ("familyname", "efternamn", "lastname", "surname"),
    "name": ("name", "namn", "fullständigtnamn", "fullname"),
    "language": ("language", "språk"),
    "districts": ("districts", "district", "distrikt", "stadsdel", "stadsdelar", "stadsdelsområde", "kommun"),
    "topics": ("topics", "topic", "ämnen", "ämne", "intressen", "interests"),
    "plain_only": ("plainonly", "endasttext", "barätext", "plaintext"),
    "ground": ("ground", "grund", "rättsliggrund"),
    "evidence": ("evidence", "samtycke", "samtyckesbevis", "consent"),
    "evidence_at": ("evidenceat", "samtyckesdatum", "consentdate", "consentat"),
    "state": ("state", "status", "medlemsstatus"),
}
_IDENTITY = re.compile(r"person(nummer|nr)|pnr|persnr|personligtid|personalid(entity)?(number|no)?|ssn|födelsenummer")
_MOSTLY = 0.5  # of a column's values: then it holds identity numbers, whatever its heading says


def plain(heading: str) -> str:
    """Return a heading without what people vary: case, spaces, dots, dashes."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", heading).casefold())


def find_header(first: Sequence[Line]) -> int:
    """Return the index of the line with the headings: some exports begin with a title.

    raises  Refused when the file is empty, or seems to have no headings
    """
    if not first:
        raise Refused("The file holds no lines.")
    known = {name for names in FIELDS.values() for name in names}
    scores = [sum(plain(cell) in known for cell in line.cells) for line in first]
    best = scores.index(max(scores))
    if any("@" in cell for cell in first[best].cells):
        raise Refused("The first line seems to be a member: put a line of headings above it.")
    return best


def header_key(header: Sequence[str]) -> str:
    """Return what a mapping is remembered by: the same headings in the same order."""
    return hashlib.sha256("\0".join(map(plain, header)).encode()).hexdigest()


_MANY, _LONG = 30, 60  # headings and characters that a sentence has room for


def choose(header: Sequence[str], said: Mapping[str, str]) -> dict[str, int]:
    """Return the column of each field that is read, by index.

    said    field -> heading, "" for a field that is not to be read; goes before what is recognised
    raises  Refused for an unknown field or heading, a column of identity numbers, or when nobody can be told apart
    """
    chosen = {field: index for field in FIELDS if (index := _recognise(header, field)) is not None}
    for field, heading in said.items():
        if field not in FIELDS:
            raise Refused("There is no field {field}; there are: {fields}.", field=field, fields=", ".join(FIELDS))
        chosen.pop(field, None)
        if heading:
            chosen[field] = _index(header, heading)
    for index in chosen.values():
        if _IDENTITY.search(plain(header[index])):
            raise Refused(
                "The column {heading} holds personal identity numbers: they are never read.", heading=header[index]
            )
    if not {"number", "address"} & chosen.keys():
        raise Refused(
            "No column is known to hold a member number or an address: say which, with --map address=HEADING."
            " The headings are: {headings}.",
            headings=_few_of(header),
        )
    return chosen


def refuse_identity_numbers(header: Sequence[str], chosen: Mapping[str, int], lines: Sequence[Line]) -> None:
    """Refuse a column whose values mostly are personal identity numbers, whatever its heading says."""
    for index in chosen.values():
        values = [line.cells[index] for line in lines if index < len(line.cells) and line.cells[index].strip()]
        if values and sum(map(is_identity_number, values)) >= _MOSTLY * len(values):
            raise Refused(
                "The column {heading} holds personal identity numbers: they are never read.", heading=header[index]
            )


def _recognise(header: Sequence[str], field: str) -> int | None:
    headings = [plain(cell) for cell in header]
    return next((headings.index(name) for name in FIELDS[field] if name in headings), None)


def _few_of(header: Sequence[str]) -> str:
    """Return the headings for a sentence: a file may have thousands, or be none of words."""
    headings = [heading if len(heading) <= _LONG else f"{heading[:_LONG]}…" for heading in header if heading]
    return ", ".join(headings[:_MANY] + ["…"] * (len(headings) > _MANY))


def _index(header: Sequence[str], heading: str) -> int:
    headings = [plain(cell) for cell in header]
    if plain(heading) not in headings:
        raise Refused(
            "There is no column {heading}; there are: {headings}.",
            heading=heading,
            headings=_few_of(header),
        )
    return headings.index(plain(heading))
