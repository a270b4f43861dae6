"""What the front matter of a letter may say. Pure."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from mailer.campaigns.rules import Rule
from mailer.config.values import Slug
from mailer.message.characters import one_line
from mailer.sentences import N_

KINDS = ("letter", "call", "campaign")
MOST_SUBJECTS = 2
_LONGEST_SUBJECT = 150  # characters


def _moment(value: object) -> datetime:
    """Take TOML's own moments, or "2027-06-01 08:00": on the site's clock, unless an offset stands behind it."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise ValueError(N_('write a day and an hour, as "2027-06-01 08:00"'))  # noqa: TRY004  # what pydantic takes
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _subject(text: str) -> str:
    text = one_line(text)
    if not text or len(text) > _LONGEST_SUBJECT:
        raise ValueError(N_("write some words, and at most 150 characters"))
    return text


def _one_or_two(subjects: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(subjects) <= MOST_SUBJECTS or len(set(subjects)) < len(subjects):
        raise ValueError(N_("write one subject, or a list of two different ones to compare"))
    return subjects


Subjects = Annotated[
    tuple[Annotated[str, AfterValidator(_subject)], ...], BeforeValidator(_listed), AfterValidator(_one_or_two)
]
Moment = Annotated[datetime, PlainValidator(_moment)]
Preheader = Annotated[str, AfterValidator(one_line), Field(max_length=200)]


class Version(BaseModel):
    """What is said anew for each language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["sv", "en"] | None = None
    subject: Subjects
    preheader: Preheader = ""


class Front(Version):
    """What is said once, in the first part.

    kind       the letter's template: letter, campaign; or call, which is for what the statutes oblige you to send
    sender     a district in whose name it goes, as the publication has it in config.toml
    event      number or key of what the letter is about
    archive    whether it may stand in the archive of its publication, when it goes to all who get that
    """

    name: Slug | None = None
    kind: Literal["letter", "call", "campaign"] = "letter"
    publication: Slug
    send_at: Moment | None = None
    sender: Slug | None = None
    event: str | None = None
    archive: bool = True
    audience: Rule = Rule()
