"""Letters: a template folder, its content and a letterhead become mail.

letters = Letters(resource("templates") / "email")
prepared = letters.prepare(letter, recipient.shape)     # once per content and shape: milliseconds
content = prepared.compose(recipient)                   # per recipient: microseconds
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import NamedTuple, Protocol

from jinja2 import TemplateError

from mailer.errors import Mistake
from mailer.lasting import Lasting
from mailer.message.characters import lines, one_line
from mailer.message.headers import Refused
from mailer.message.invitation import Invitation
from mailer.message.skeleton import Piece, Skeleton, alternative, plain, with_invitation
from mailer.message.slots import Slot
from mailer.render.head import Letterhead, Manner, head
from mailer.render.personal import SlotMisused, fill, size_of, split
from mailer.render.recipients import (
    NOBODY,
    Readers,
    Recipient,
    Shape,
    blanks,
    columns_of,
    in_html,
    in_text,
    knowns,
    values_of,
)
from mailer.render.templates import Templates, broken
from mailer.sentences import Word

HTML_LIMIT = 90_000  # octets; Gmail cuts a letter off at about 102,000, with the way out in its footer

# What MJML says its letter is, and what that is on a page: a landmark. No text can hold it, as its quotes are escaped.
_MAIL, _PAGE = 'role="article"', 'role="main"'
_SPOKEN_AS_MAIL = ' aria-roledescription="email"'


class LetterTooLarge(Mistake):
    """The HTML of a letter would be cut off by mail programs."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What all readers of one content share.

    template     folder in templates/email: subject.txt, body.mjml, body.txt
    language     of the reader: sv or en
    context      the template's own variables, JSON-like; any text in it may be hostile
    feedback_id  "a:b:c:sender", opaque, for Gmail's statistics; empty for none
    plain_only   for readers who want no HTML
    invited      an entry for the calendar of its one reader
    """

    template: str
    language: str
    letterhead: Letterhead
    context: Mapping[str, object]
    manner: Manner = Manner.EDITORIAL
    feedback_id: str = ""
    plain_only: bool = False
    invited: Invitation | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter to be looked at rather than sent."""

    subject: str
    text: str
    html: str


class PreparedLetter(Protocol):
    """A letter rendered once for all recipients of a shape."""

    def compose(self, recipient: Recipient) -> bytes:
        """Return the whole message; the same recipient gives the same bytes.

        raises  Refused (a ValueError) when a value of this recipient can stand in no mail
        """

    def encode(self, readers: Readers) -> "Encoded":
        """Make the messages of many ready to be joined: a microsecond or two each.

        raises  Refused as `compose`, for any of them; SlotMisused where each has to be rendered
        """


class Encoded(NamedTuple):
    """What is left of composing: `mailer.message.skeleton.join(frame, each of own)`."""

    frame: Sequence[bytes]
    own: Sequence[Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class _Rendered:
    subject: str
    text: Sequence[Piece]
    html: Sequence[Piece]


class Letters:
    """Makes mail of the templates in one folder."""

    def __init__(self, folder: Path) -> None:
        self._templates = Templates(folder)

    def prepare(self, letter: Letter, shape: Shape) -> PreparedLetter:
        """Render `letter` once for all recipients of `shape`, or get ready to do it for each.

        The second when the template computes with a personal value: slower, and the same mail.
        raises  TemplateBroken, LetterTooLarge; Mistake for a letterhead that cannot be written
        """
        try:
            return _Shared(_skeleton(letter, self._render(letter, shape, values=None)), letter.language, shape)
        except SlotMisused:
            return _OneByOne(self, letter)

    def compose_one(self, letter: Letter, recipient: Recipient) -> bytes:
        """Render and compose for this recipient alone; raises as `prepare` and `PreparedLetter.compose`."""
        values = values_of(recipient, language=letter.language)
        return _skeleton(letter, self._render(letter, recipient.shape, values=values)).compose(values)

    def show(self, letter: Letter, recipient: Recipient) -> Shown:
        """Render for a page on which somebody looks at the letter; raises as `prepare`."""
        values = values_of(recipient, language=letter.language)
        rendered = self._render(letter, recipient.shape, values=values)
        return Shown(rendered.subject, fill(rendered.text, values, str), fill(rendered.html, values, escape))

    def subject(self, letter: Letter, recipient: Recipient) -> str:
        """Return the subject alone, for a list of letters. raises TemplateBroken"""
        values = values_of(recipient, language=letter.language)
        variables = self._variables(letter) | knowns(recipient.shape, values)
        return _subject(self._run(letter, "subject.txt", variables), values)

    def page(self, letter: Letter, archive: str = "") -> str:
        """Return the letter's HTML for anyone to read: addressed to nobody. raises TemplateBroken

        archive  where earlier letters are, to link to
        """
        values = values_of(NOBODY, language=letter.language)
        variables = self._variables(letter) | knowns(NOBODY.shape, values) | {"archive": archive}
        variables["subject_line"] = _subject(self._run(letter, "subject.txt", variables), values)
        html = fill(self._run(letter, "body.mjml", variables), values, escape)
        return html.replace(_MAIL, _PAGE, 1).replace(_SPOKEN_AS_MAIL, "", 1)

    def part(self, name: str, language: str, variables: Mapping[str, object]) -> str:
        """Render a file that letters include, such as "digest/reason.txt". raises TemplateBroken"""
        return fill(self._pieces(name, language, variables), {}, str)

    def _render(self, letter: Letter, shape: Shape, *, values: Mapping[str, str] | None) -> _Rendered:
        variables = self._variables(letter) | (blanks(shape) if values is None else knowns(shape, values))
        subject = _subject(self._run(letter, "subject.txt", variables), values)
        variables["subject_line"] = subject
        rendered = _Rendered(
            subject,
            text=self._run(letter, "body.txt", variables),
            html=self._run(letter, "body.mjml", variables),
        )
        size = size_of(rendered.html)
        if size > HTML_LIMIT:
            raise LetterTooLarge(
                "The letter {template} has {size} kB of HTML, and mail programs cut it off: shorten its texts.",
                template=letter.template,
                size=size // 1000,
            )
        return rendered

    def _variables(self, letter: Letter) -> dict[str, object]:
        """Return what templates read of a letter, whoever gets it."""
        return {
            **{name: _clean(value) for name, value in letter.context.items()},
            "letterhead": _as_mapping(letter.letterhead),
            "language": letter.language,
            "manner": letter.manner.value,
            "archive": "",
            "direction": "ltr",  # of every language there is so far
        }

    def _run(self, letter: Letter, file: str, variables: Mapping[str, object]) -> list[Piece]:
        return self._pieces(f"{letter.template}/{file}", letter.language, variables)

    def _pieces(self, name: str, language: str, variables: Mapping[str, object]) -> list[Piece]:
        template = self._templates.get(name, language=language)
        try:
            rendered = template.render(variables)
        except TemplateError as error:
            raise broken(name, error) from None
        return split(rendered, in_html if name.endswith(".mjml") else in_text, self._templates.shared)


@dataclass(frozen=True, slots=True)
class _Shared:
    skeleton: Skeleton
    language: str
    shape: Shape

    def compose(self, recipient: Recipient) -> bytes:
        if (len(recipient.persons), bool(recipient.view_online)) != self.shape:
            raise ValueError("this recipient needs a skeleton of another shape")
        return self.skeleton.compose(values_of(recipient, language=self.language))

    def encode(self, readers: Readers) -> Encoded:
        columns = columns_of(readers, language=self.language)
        return Encoded(self.skeleton.frame, self.skeleton.encode(columns, len(readers.address)))


@dataclass(frozen=True, slots=True)
class _OneByOne:
    letters: Letters
    letter: Letter

    def compose(self, recipient: Recipient) -> bytes:
        return self.letters.compose_one(self.letter, recipient)

    def encode(self, readers: Readers) -> Encoded:
        raise SlotMisused(f"each of {len(readers.address)} is rendered by itself")


def _skeleton(letter: Letter, rendered: _Rendered) -> Skeleton:
    try:
        fields = head(
            letter.letterhead,
            manner=letter.manner,
            language=letter.language,
            subject=rendered.subject,
            feedback_id=letter.feedback_id,
        )
    except Refused as refusal:
        raise Mistake(
            "{header} {reason}: correct [site] or the publication in the config file.",
            header=refusal.where,
            reason=Word(refusal.reason),
        ) from None
    if letter.invited is not None:
        html = None if letter.plain_only else rendered.html
        return with_invitation(fields, text=rendered.text, html=html, invited=letter.invited)
    if letter.plain_only:
        return plain(fields, text=rendered.text)
    return alternative(fields, text=rendered.text, html=rendered.html)


def _subject(pieces: Sequence[Piece], values: Mapping[str, str] | None) -> str:
    """Join the subject. It has no slots of its own: encoded-words cannot be put together from pieces."""
    if values is None and any(isinstance(piece, Slot) for piece in pieces):
        raise SlotMisused("a personal value in the subject")
    return one_line(fill(pieces, values or {}, str))


# Asked for some twenty values a letter: of a mapping a template may ask without leave from its sandbox.
_as_mapping = lru_cache(maxsize=16)(asdict)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, Lasting):
        return value.once(_clean, lambda: Lasting(_cleaned(value)))
    if isinstance(value, dict):
        return _cleaned(value)
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _cleaned(value: Mapping[str, object]) -> dict[str, object]:
    return {name: _clean(inner) for name, inner in value.items()}
