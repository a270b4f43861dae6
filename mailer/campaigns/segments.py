"""Named audiences: a rule that is written once and used by many letters."""

import re
from datetime import datetime

from sqlmodel import Session, select

from mailer.campaigns.models import Segment
from mailer.campaigns.rules import Rule
from mailer.errors import Mistake

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 64


def find(session: Session, name: str) -> Rule:
    """raises Mistake when there is none of that name"""
    found = session.get(Segment, name)
    if found is None:
        raise Mistake("There is no segment {name}: `utskick segments list` shows those there are.", name=name)
    return Rule.model_validate_json(found.rule)


def rules(session: Session) -> dict[str, Rule]:
    """Return all of them by name, in its order."""
    rows = session.exec(select(Segment).order_by(Segment.name))
    return {row.name: Rule.model_validate_json(row.rule) for row in rows}


def add(session: Session, name: str, rule: Rule, *, who: str, now: datetime) -> bool:
    """Keep a normalised rule under a name; return whether that is new. Letters that were approved stay as they were.

    raises  Mistake for a name that is none, and for a rule that not every letter could use
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise Mistake("{name} is no name for a segment: write small letters, digits and hyphens.", name=name)
    if any(condition.segment for condition in rule.conditions()):
        raise Mistake("A segment is made of conditions, not of other segments.")
    if any(condition.answers for condition in rule.conditions()):
        raise Mistake("Answers to an event are for letters about that event only, so no segment holds them.")
    if rule.says_nothing and not rule.include and not rule.exclude:
        raise Mistake("Say who is in the segment, as districts=bromma.")
    known = session.get(Segment, name)
    segment = known or Segment(name=name, rule="", made_at=now, made_by=who)
    segment.rule, segment.made_at, segment.made_by = rule.model_dump_json(), now, who
    session.add(segment)
    session.flush()
    return known is None


def remove(session: Session, name: str) -> None:
    """raises Mistake as `find`. A letter that names it and is not approved yet says so when it is looked at."""
    find(session, name)
    session.delete(session.get_one(Segment, name))
    session.flush()
