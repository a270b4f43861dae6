"""What is to be done about an event's letters. Pure."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from mailer.events.details import Details
from mailer.ladder import Step
from mailer.reminders.choose import FOR_YES
from mailer.reminders.dossier import OPEN, Dossier, Letter
from mailer.reminders.due import Due, beside_digest, due, useful_until

Digests = Callable[[datetime], Sequence[datetime]]  # about a moment -> when digests go


def too_late(dossier: Dossier, now: datetime) -> list[Letter]:
    """Return the letters that are of no use any more, whatever of them still waits."""
    ours = [letter for letter in dossier.letters if letter.step and letter.state in OPEN]
    return [letter for letter in ours if now >= until(letter.step or "", dossier.details)]


def until(step: str, event: Details) -> datetime:
    """Return when a step, by its name, is of no use any more."""
    return useful_until(step.partition("-")[0], event)


def outdated(dossier: Dossier) -> list[Letter]:
    """Return our letters under way that may tell some what is not so any more."""
    ours = [letter for letter in dossier.letters if letter.step and letter.state in OPEN and letter.planned]
    return [letter for letter in ours if any(map(dossier.outdated, letter.tells))]


def is_settled(dossier: Dossier, quiet: timedelta, now: datetime) -> bool:
    """Say whether nobody has said another time or place for so long that it may be told."""
    first = dossier.moved == min(dossier.revisions)
    return first or now >= dossier.revisions[dossier.moved].at + quiet


def to_tell(dossier: Dossier, first: str, seen: Collection[int], now: datetime) -> list[str]:
    """Return the publications whose readers are to be told what changed.

    first  the one for letters about events; "" when there is none
    seen  revisions on which somebody answered who may come: they are told by the first
    Those who were told by another one, a digest, are told by that one where they do not read the first.
    """
    if now >= until(dossier.news, dossier.details):
        return []
    told_by = {
        letter.publication for letter in dossier.letters if letter.planned and any(map(dossier.outdated, letter.tells))
    }
    have = {letter.publication for letter in dossier.letters if letter.step == dossier.news}
    anyone = bool(told_by) or any(map(dossier.outdated, seen))
    return [one for one in (first, *sorted(told_by - {first})) if anyone and one not in have]


def next_step(
    dossier: Dossier, ladder: Iterable[Step], digests: Digests, *, anyone_comes: bool, now: datetime
) -> Due | None:
    """Return the step to send now. Of several that were missed only the last goes; one that came before the event none.

    anyone_comes  without that nobody is told details or thanked
    """
    if dossier.cancelled:
        return None
    steps = [step for step in ladder if anyone_comes or step.letter not in FOR_YES]
    found = due(steps, dossier.details, dossier.created_at, now)
    if not found or found[-1].step.name in dossier.steps:
        return None
    last = found[-1]
    return last if goes_at(last, dossier, digests) <= now else None


def rests(dossier: Dossier, ladder: Sequence[Step], digests: Digests, now: datetime) -> bool:
    """Say whether there is nothing to do about an event, whoever answered: nearly always, and asked each minute."""
    under_way = any(letter.step and letter.state in OPEN for letter in dossier.letters)
    if under_way or any(map(dossier.outdated, dossier.revisions)):
        return False
    return not any(
        next_step(dossier, ladder, digests, anyone_comes=anyone_comes, now=now) for anyone_comes in (True, False)
    )


def goes_at(one: Due, dossier: Dossier, digests: Digests) -> datetime:
    return beside_digest(one.at, digests(one.at), dossier.details, one.step.letter)


def unplanned(dossier: Dossier) -> list[Letter]:
    """Return the letters that were opened and not planned: whoever did it is gone."""
    return [letter for letter in dossier.letters if letter.step and not letter.planned and letter.state in OPEN]


def told_in(dossier: Dossier, step: str) -> list[int]:
    """Return the mailings of a step, in whichever publication."""
    return [letter.mailing for letter in dossier.letters if letter.step == step]
