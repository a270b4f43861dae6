"""The letters about an event that are to come, as people look at them before they go: with the words of now."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session

from mailer.links import Purpose
from mailer.reminders import approving, decide, gather
from mailer.reminders.choose import FOR_YES, Reason
from mailer.reminders.contents import expand, variant_content
from mailer.reminders.dossier import Dossier
from mailer.reminders.plan import TOLD, Planner
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of, signing
from mailer.render.letters import Letter, Letters, Shown
from mailer.render.samples import sample

_SAMPLE_NAME = "Kim"


class Look(NamedTuple):
    """A letter to look at. `was`: the revision that its readers were told before, None: none."""

    letter: str
    was: int | None


def looks(session: Session, planner: Planner, dossier: Dossier) -> Sequence[Look]:
    """Return the letters that are to come, what changed first, then those of the ladder by their time."""
    seen = gather.answers(session, dossier.id).seen.values()
    told = dossier.told_otherwise.union(filter(dossier.outdated, seen))
    is_of_use = planner.now < decide.until(dossier.news, dossier.details)
    news = [Look(dossier.news.partition("-")[0], max(told))] if told and is_of_use else []
    ladder = [step.letter for step in approving.steps_ahead(planner, dossier)]
    if "reminder" in ladder:
        ladder.append("details")  # who said yes gets them in its place
    return [*news, *(Look(letter, None) for letter in dict.fromkeys(ladder))]


def show(letters: Letters, planner: Planner, session: Session, dossier: Dossier, look: Look, language: str) -> Shown:
    """Lay a letter out as somebody called Kim gets it. raises Mistake"""
    settings, links = planner.settings, planner.links
    publication = settings.events.publication or settings.digest.publication
    letterhead = signing(settings, publication, dossier.details.districts)
    pieces = {1: planner.piece(dossier, dossier.sequence)}
    if look.was is not None:
        pieces[2] = planner.piece(dossier, look.was)
    was = None if look.was is None else 2
    said = json.loads(variant_content(look.letter, was, _reason(dossier, look), letterhead))
    letter = Letter(
        template=look.letter,
        language=language,
        letterhead=letterhead_of(settings, publication, language, letterhead),
        context=expand({"names": gather.names(session)}, pieces, said, language),
        manner=Manner.SINGLE,  # what is looked at unsubscribes nobody
    )
    sender = letter.letterhead.from_address
    kim = sample(sender, sender, links, planner.now, name=_SAMPLE_NAME)
    answer = links.act(Purpose.ANSWER, 0, dossier.id)
    return letters.show(letter, kim._replace(persons=tuple(one._replace(act=answer) for one in kim.persons)))


def _reason(dossier: Dossier, look: Look) -> Reason:
    if look.was is not None:
        return TOLD
    if look.letter in FOR_YES:
        return Reason("coming")
    return Reason("district", min(dossier.details.districts)) if dossier.details.districts else Reason("everyone")
