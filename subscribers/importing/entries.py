"""A line of the file as one person, or the reason why it cannot be one."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from subscribers import address
from subscribers.errors import Refused
from subscribers.importing.identity import is_written_as_one
from subscribers.importing.line import Line, Note
from subscribers.importing.text_file import UNREADABLE
from subscribers.near import nearest
from subscribers.number import number_key
from subscribers.states import Ground

_LONGEST = 200  # characters of a name, a number or a proof
_CONTROL = re.compile(f"[\x00-\x1f\x7f-\x9f{UNREADABLE}]")
_YES = frozenset({"ja", "j", "yes", "y", "x", "1", "true", "sant"})
_NO = frozenset({"", "nej", "n", "no", "0", "false", "falskt"})
_LANGUAGES = {
    "sv": "sv",
    "sv-se": "sv",
    "svenska": "sv",
    "swedish": "sv",
    "en": "en",
    "engelska": "en",
    "english": "en",
}
_GROUNDS = {
    "member": Ground.MEMBER,
    "medlem": Ground.MEMBER,
    "supporter": Ground.SUPPORTER,
    "stödmedlem": Ground.SUPPORTER,
    "sympatisör": Ground.SUPPORTER,
}
_HERE = frozenset({"", "active", "aktiv", "medlem", "member"})
_GONE = frozenset({"left", "utträdd", "utgått", "utgången", "avslutad", "inaktiv", "inactive", "avliden", "deceased"})


@dataclass(frozen=True, slots=True)
class Reference:
    """The slugs of districts and topics by every name they go by, in plain form (`names`)."""

    districts: Mapping[str, str]
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The proof of a supporter's consent as the file gives it; `at` None: it does not say when."""

    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as the file says. None means that the file says nothing about it; "" that there is none."""

    line: int
    number: str | None
    number_key: bytes | None
    address: str | None
    address_key: bytes | None
    given_name: str | None
    family_name: str | None
    language: str | None
    districts: frozenset[str] | None
    topics: frozenset[str] | None
    plain_only: bool | None
    ground: Ground | None
    evidence: Evidence | None
    left: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is refused. Its number, where it could be read, says that this member is not missing."""

    note: Note
    number_key: bytes | None


def names(text: str) -> str:
    """Return the plain form that a district or topic is looked up by."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def parse(line: Line, chosen: Mapping[str, int], width: int, reference: Reference) -> Entry | Fault:
    """Read one line by the `chosen` columns.

    width  number of headings: cells beyond it mean that the columns have slipped
    """
    person = _Cells(line, chosen)
    key = None
    try:
        _refuse_unreadable(line, width)
        number = _number(person)
        key = number_key(number) if number else None
        return _entry(person, number, key, reference)
    except Refused as refusal:
        return Fault(Note(line.number, refusal.sentence, refusal.values), key)


def _refuse_unreadable(line: Line, width: int) -> None:
    if line.fault:
        raise Refused(line.fault)
    if any(cell.strip() for cell in line.cells[width:]):
        raise Refused("The line has more cells than there are headings: its columns may have slipped.")


class _Cells:
    """The mapped cells of one line, and what is remarked while they are read."""

    def __init__(self, line: Line, chosen: Mapping[str, int]) -> None:
        self.line = line.number
        self.notes: list[Note] = []
        self._cells, self._chosen = line.cells, chosen

    def text(self, field: str) -> str | None:
        """Return the cell with its spaces tidied; None when no column was chosen for the field."""
        index = self._chosen.get(field)
        if index is None:
            return None
        text = " ".join(unicodedata.normalize("NFC", self._cells[index]).split()) if index < len(self._cells) else ""
        if _CONTROL.search(text):
            raise Refused("The {field} holds a character that cannot be read.", field=field)
        if len(text) > _LONGEST and field not in ("districts", "topics"):
            raise Refused("The {field} is longer than {limit} characters.", field=field, limit=_LONGEST)
        return text

    def remark(self, sentence: str, **values: object) -> None:
        self.notes.append(Note(self.line, sentence, values))


def _entry(person: _Cells, number: str | None, key: bytes | None, reference: Reference) -> Entry:
    given, family = _names(person)
    written = person.text("address")
    parsed = address.parse(written) if written else None
    if number is None and parsed is None:
        raise Refused("The line has neither a member number nor an address.")
    return Entry(
        line=person.line,
        number=number,
        number_key=key,
        address=written,
        address_key=parsed.key if parsed else None,
        given_name=given,
        family_name=family,
        language=_language(person),
        districts=_slugs(person, "districts", reference.districts),
        topics=_slugs(person, "topics", reference.topics),
        plain_only=_plain_only(person),
        ground=_ground(person),
        evidence=_evidence(person),
        left=_left(person),
        notes=tuple(person.notes),
    )


def _number(person: _Cells) -> str | None:
    number = person.text("number")
    if number and is_written_as_one(number):
        raise Refused("The member number is a personal identity number: those are never read.")
    return number or None


def _names(person: _Cells) -> tuple[str | None, str | None]:
    """Return given and family name; a single column is "Berg, Anna" or "Anna Berg"."""
    given, family, whole = person.text("given_name"), person.text("family_name"), person.text("name")
    if whole is None or given or family:
        return given, family
    if "," in whole:
        family, _, given = (part.strip() for part in whole.partition(","))
        return given, family
    given, _, family = whole.rpartition(" ")
    return (given, family) if given else (family, "")


def _language(person: _Cells) -> str | None:
    said = person.text("language")
    if said and names(said) not in _LANGUAGES:
        person.remark("The language {language} is not one we write in.", language=said)
    return _LANGUAGES.get(names(said)) if said else None


def _slugs(person: _Cells, field: str, known: Mapping[str, str]) -> frozenset[str] | None:
    """Return the slugs named in a cell. Other names are remarked; a cell of nothing else says nothing."""
    said = person.text(field)
    if said is None:
        return None
    parts = [part.strip() for part in re.split(r"[,;|]", said) if part.strip()]
    slugs = frozenset(known[names(part)] for part in parts if names(part) in known)
    for part in parts:
        if names(part) not in known:
            _remark_unknown(person, field, part, _nearest(names(part), tuple(known.items())))
    return slugs if slugs or not parts else None


def _remark_unknown(person: _Cells, field: str, name: str, near: str) -> None:
    if field == "districts" and near:
        person.remark("There is no district {name}. Did you mean {near}?", name=name, near=near)
    elif field == "districts":
        person.remark("There is no district {name}.", name=name)
    elif near:
        person.remark("There is no topic {name}. Did you mean {near}?", name=name, near=near)
    else:
        person.remark("There is no topic {name}.", name=name)


@lru_cache(maxsize=1000)  # a register misspells the same few names in thousands of lines
def _nearest(name: str, known: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(nearest(name, dict(known)))


def _plain_only(person: _Cells) -> bool | None:
    said = person.text("plain_only")
    if said is None:
        return None
    if names(said) not in _YES | _NO:
        person.remark("Plain text only is neither yes nor no: {said}.", said=said)
        return None
    return names(said) in _YES


def _ground(person: _Cells) -> Ground | None:
    said = person.text("ground")
    if not said:
        return None
    if names(said) not in _GROUNDS:
        raise Refused("The ground {ground} is unknown: write member or supporter.", ground=said)
    return _GROUNDS[names(said)]


def _evidence(person: _Cells) -> Evidence | None:
    text, said = person.text("evidence"), person.text("evidence_at")
    at = None
    if said:
        try:
            at = datetime.combine(date.fromisoformat(said[:10]), datetime.min.time(), tzinfo=UTC)
        except ValueError:
            person.remark("The date of consent is not of the form 2024-03-31: {said}.", said=said)
    if names(text or "") in _NO and (text or at is None):
        return None
    return Evidence(text or "", at)


def _left(person: _Cells) -> bool:
    said = names(person.text("state") or "")
    if said not in _HERE | _GONE:
        raise Refused(
            "The state {state} is unknown: write active or left, or do not read it (--map state=).", state=said
        )
    return said in _GONE


def reference(districts: Iterable[tuple[str, str]], topics: Iterable[tuple[str, str, str]]) -> Reference:
    """Make the lookup from (slug, name) and (slug, Swedish name, English name)."""
    return Reference(districts=dict(_spellings(districts)), topics=dict(_spellings(topics)))


def _spellings(rows: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for slug, *spellings in rows:
        yield slug, slug
        for name in spellings:
            yield names(name), slug
