"""`{{ member.given_name | default("vän") }}`: what a text may say of its reader, and of us. Pure.

A text is no template: this is all it can do. What is the reader's own becomes a slot, with its fallback, and is put in
when the letter is sent; what is ours is put in at once.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.campaigns.faults import Place, WrongText
from mailer.message.characters import one_line

# Private-use characters stand for a value until Markdown has been read; a text may hold none of its own.
_OPEN, _CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_FOREIGN = re.compile(r"[\ue000-\uf8ff]")

TEXTS = ("member.given_name",)  # put out as words; may be empty, so each needs a fallback
RECRUIT = "act"  # by which the reader invites others: what a letter of this kind lets one do
LINKS = {  # may stand where a link leads
    "member.preferences": "preferences",
    "member.unsubscribe": "unsubscribe",
    "member.recruit": RECRUIT,
}
OURS = ("organisation", "publication")

_BRACES = re.compile(r"\{\{(.*?)\}\}|\{[{%#]")
_SAID = re.compile(
    r"""\s*(?P<name>[\w.]+)\s*(?:\|\s*(?P<filter>\w+)\s*(?:\(\s*(?P<said>"(?:[^"\\]|\\.)*"|'[^'\\]*')\s*\))?)?\s*"""
)
_LONGEST = 60  # characters of a fallback


@dataclass(frozen=True, slots=True)
class Value:
    """What stands between two pairs of braces. `fallback`: of one of TEXTS; `at`: the first brace."""

    name: str
    fallback: str
    at: Place


@dataclass
class Values:
    """The values of a text as they are found; `ours`: what those of OURS are."""

    ours: Mapping[str, str]
    found: list[Value] = field(default_factory=list)

    def marked(self, text: str, at: Place) -> str:
        """Return one line of text with what is ours in place, and marks for what is the reader's. raises WrongText"""
        text = _FOREIGN.sub("", text)

        def mark(braces: re.Match[str]) -> str:
            here = Place(at.file, at.line, at.column + braces.start())
            if braces[1] is None:
                raise WrongText(
                    "Only values stand in braces, as {example}.",
                    at=here,
                    example='{{ member.given_name | default("vän") }}',
                )
            return self._put(_read(braces[1], here))

        return _BRACES.sub(mark, text)

    def _put(self, value: Value) -> str:
        if value.name in self.ours:
            return self.ours[value.name]
        self.found.append(value)
        return f"{_OPEN}{len(self.found) - 1}{_CLOSE}"


def _read(said: str, at: Place) -> Value:
    form = _SAID.fullmatch(said)
    name = form["name"] if form else said.strip().partition("|")[0].strip()
    if name not in (*TEXTS, *LINKS, *OURS):
        known = ", ".join((*TEXTS, *LINKS, *OURS))
        raise WrongText("There is no value {name}: a letter has {known}.", at=at, name=one_line(name), known=known)
    fallback = _fallback(form)
    if form is None or (form["filter"] and (form["filter"] != "default" or not form["said"] or name not in TEXTS)):
        raise WrongText('{name} is written as it is, or followed by | default("…").', at=at, name=name)
    if name in TEXTS and not fallback:
        raise WrongText(
            "{name} may be empty: write what stands there then, as {example}.",
            at=at,
            name=name,
            example=f'{{{{ {name} | default("vän") }}}}',
        )
    return Value(name, fallback, at)


def _fallback(form: re.Match[str] | None) -> str:
    said = form["said"] if form else None
    if not said:
        return ""
    try:
        text = str(json.loads(said)) if said[0] == '"' else said[1:-1]
    except ValueError:
        return ""
    return one_line(_FOREIGN.sub("", text))[:_LONGEST]
