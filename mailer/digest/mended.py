"""A correction as its approver reads it: letters that say all that is new, as they will be read. Nothing is written."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from mailer.config import Settings
from mailer.digest import editions
from mailer.digest.contents import Json, expand
from mailer.digest.corrections import NOTHING_LEFT, mailing_content
from mailer.digest.outdated import Outdated
from mailer.digest.waiting import Waiting
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter


class Kind(StrEnum):
    """correction: to those who got the old words. edition: the mended letter, for who waits.

    archive: as it stands there, of what is in none of the others.
    """

    CORRECTION = "correction"
    EDITION = "edition"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Example:
    """One of the letters. `name` is its own; `district`: the name of the one that signs it, "" for none."""

    name: str
    kind: Kind
    letter: Letter
    district: str


def examples(session: Session, settings: Settings, waiting: Waiting) -> list[Example]:
    """Return as few letters as say everything that is new, in each language and from each who signs, most read first.

    Others differ from these in the news beside it, which nobody changed.
    """
    mailing, survey = editions.mailing_of(session, waiting.edition), waiting.survey
    got = worth_reading(survey.outdated, lambda old: len(old.got) // 2)
    waits = worth_reading([old for old in survey.outdated if old.content], lambda old: old.waiting)
    read = {ref for old in (*got, *waits) for ref in old.shows}
    unread = [old for old in survey.outdated if old.content and not old.shows <= read]
    archived = worth_reading(unread, lambda old: int(old.variant in survey.archived))
    corrected, edition = mailing_content(mailing, waiting.note), json.loads(mailing.content)
    return [
        *(_example(settings, waiting, Kind.CORRECTION, old, corrected) for old in got),
        *(_example(settings, waiting, Kind.EDITION, old, edition) for old in waits),
        *(_example(settings, waiting, Kind.ARCHIVE, old, edition) for old in archived),
    ]


def worth_reading(outdated: Iterable[Outdated], readers: Callable[[Outdated], int]) -> Sequence[Outdated]:
    """Choose those that show what the ones before them do not. `readers`: how many get one, 0: it is left out.

    What differs by language and by who signs is new each time, and so is a letter with no news left.
    """
    seen: set[tuple[str, str | None, int | None]] = set()
    chosen = []
    for old in sorted(outdated, key=lambda one: (-readers(one), one.variant)):
        signs = old.content["letterhead"] if old.content else None
        shows = {(old.language, signs, ref) for ref in (old.shows if old.content else {None})}
        if readers(old) and not shows <= seen:
            seen |= shows
            chosen.append(old)
    return chosen


def _example(settings: Settings, waiting: Waiting, kind: Kind, old: Outdated, shared: Json) -> Example:
    content = old.content or NOTHING_LEFT
    signs = content["letterhead"]
    letter = Letter(
        template=editions.LETTER,
        language=old.language,
        letterhead=letterhead_of(settings, waiting.edition.publication, old.language, signs),
        context=expand(shared, waiting.survey.pieces, content, old.language),
        manner=Manner.SINGLE,
        plain_only=old.plain_only,
    )
    return Example(f"{kind.value}-{old.variant}", kind, letter, str(shared["names"]["district"].get(signs, "")))
