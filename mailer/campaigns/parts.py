"""A letter's file in its parts: front matter in TOML between lines of +++, then the text; for each language. Pure.

+++
subject = "Följ med i sommar"
publication = "weekly"
+++
Hej!

+++ en
subject = "Join us this summer"
+++
Hello!
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.campaigns.faults import Place, WrongText
from mailer.message.characters import lines as clean

LONGEST = 100_000  # characters of a file; a letter that is not cut off has less than 90 kB of HTML
_FENCE = "+++"
_OPENS = re.compile(r"\+\+\+[ \t]*([a-z]{2})?[ \t]*")
_HEADER = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]+\s*(?:#.*)?")
_SAID = re.compile(r"\s*([\w.-]+)\s*=")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text, and where it stands."""

    text: str
    at: Place


@dataclass(frozen=True, slots=True)
class Part:
    """What one language says. `front` are the lines that `table` was read from; `at`: its first +++."""

    language: str | None
    table: dict[str, Any]
    front: tuple[Line, ...]
    body: tuple[Line, ...]
    at: Place


def parts_of(file: str, text: str) -> list[Part]:
    """Divide a file. raises WrongText"""
    if len(text) > LONGEST:
        raise WrongText("The file is longer than {limit} characters.", at=Place(file, 1), limit=LONGEST)
    written = clean(text.removeprefix("\ufeff")).split("\n")
    lines = [Line(one, Place(file, number)) for number, one in enumerate(written, start=1)]
    begun = next((number for number, line in enumerate(lines) if line.text.strip()), 0)
    if not _OPENS.fullmatch(lines[begun].text):
        raise WrongText("A letter begins with +++, its subject and publication, and another +++.", at=lines[begun].at)
    return list(_parts(lines[begun:]))


def _parts(lines: Sequence[Line]) -> Iterator[Part]:
    while lines:
        opening, rest = lines[0], lines[1:]
        opens = _OPENS.fullmatch(opening.text)
        end = next((number for number, line in enumerate(rest) if line.text.rstrip() == _FENCE), None)
        if end is None or opens is None:
            raise WrongText("What begins with +++ has to end with +++ on a line of its own.", at=opening.at)
        front, after = rest[:end], rest[end + 1 :]
        begun = next((number for number, line in enumerate(after) if _begins(line)), len(after))
        yield Part(opens[1], _table(front, opening), tuple(front), tuple(after[:begun]), opening.at)
        lines = after[begun:]


def _begins(line: Line) -> bool:
    """Say whether another language begins here. raises WrongText for +++ that names none"""
    opens = _OPENS.fullmatch(line.text)
    if opens and opens[1] is None:
        raise WrongText("Name the language that begins here, as +++ en.", at=line.at)
    return opens is not None


def _table(front: Sequence[Line], opening: Line) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(line.text for line in front))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _AT.search(str(error))
        line = int(found[1]) if found and found[1] else len(front)
        at = Place(opening.at.file, opening.at.line + line, int(found[2]) if found and found[2] else 1)
        reason = _AT.sub("", str(error)).rstrip(".")
        raise WrongText("What stands between +++ is no TOML: {reason}.", at=at, reason=reason) from None


def place_of(part: Part, key: str) -> Place:
    """Return where the front matter says `key` ("audience.exclude.0.topics"): its line, else that of its table."""
    wanted, found, table = key.split("."), part.at, list[str]()
    seen: Counter[str] = Counter()
    for line in part.front:
        header = _HEADER.fullmatch(line.text)
        if header:
            many = line.text.lstrip().startswith("[[")
            table = [*header[1].split("."), *([str(seen[header[1]])] if many else [])]
            seen[header[1]] += 1
            both = min(len(table), len(wanted))
            found = line.at if table[:both] == wanted[:both] else found
        said = _SAID.match(line.text)
        path = [*table, *said[1].split(".")] if said else []
        if path and path == wanted[: len(path)]:
            return Place(line.at.file, line.at.line, 1 + len(line.text) - len(line.text.lstrip()))
    return found
