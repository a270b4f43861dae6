"""A letter as it is written: front matter and text in one language or two, from one file or two. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.front import Front, Version
from mailer.campaigns.parts import Line, Part, parts_of, place_of
from mailer.validation import first_fault

Table = TypeVar("Table", bound=Version)
File = tuple[str, str]  # its name, and what is in it


@dataclass(frozen=True, slots=True)
class Text:
    """What is said in one language."""

    language: str
    version: Version
    body: tuple[Line, ...]
    part: Part

    def at(self, key: str) -> Place:
        """Return where the front matter says `key`."""
        return place_of(self.part, key)

    def at_words(self, key: str, words: str) -> Place:
        """Return where the front matter says these words of `key`."""
        for line in self.part.front:
            if words in line.text:
                return Place(line.at.file, line.at.line, line.text.index(words) + 1)
        return self.at(key)


@dataclass(frozen=True, slots=True)
class Written:
    """A letter. The first of `texts` goes to whoever reads none of the others' languages."""

    front: Front
    texts: tuple[Text, ...]

    def at(self, key: str) -> Place:
        return self.texts[0].at(key)


def read(files: Sequence[File], *, language: str) -> Written:
    """Read a letter's files. `language`: of a first part that names none. raises WrongText"""
    parts = [part for name, text in files for part in parts_of(name, text)]
    front = _validated(Front, parts[0])
    texts = [_text(parts[0], front, front.language or parts[0].language or language)]
    for part in parts[1:]:
        version = _validated(Version, part)
        spoken = version.language or part.language
        if spoken is None:
            raise WrongText("Name the language that begins here, as +++ en.", at=part.at)
        texts.append(_text(part, version, spoken))
    _require_alike(texts)
    return Written(front, tuple(texts))


def _validated(model: type[Table], part: Part) -> Table:
    try:
        return model.model_validate(part.table)
    except ValidationError as error:
        fault = first_fault(error)
        raise WrongText("{key}: {reason}.", at=place_of(part, fault.key), key=fault.key, reason=fault.reason) from None


def _text(part: Part, version: Version, language: str) -> Text:
    if language not in ("sv", "en"):
        raise WrongText("There is no language {language}: write sv or en.", at=part.at, language=language)
    if not any(line.text.strip() for line in part.body):
        raise WrongText("The letter says nothing after its front matter.", at=part.at)
    return Text(language, version, part.body, part)


def _require_alike(texts: Sequence[Text]) -> None:
    seen: set[str] = set()
    for text in texts:
        if text.language in seen:
            raise WrongText("The letter says this twice in one language.", at=text.part.at)
        seen.add(text.language)
        if len(text.version.subject) != len(texts[0].version.subject):
            raise WrongText("Give as many subjects in each language: they are compared.", at=text.at("subject"))
