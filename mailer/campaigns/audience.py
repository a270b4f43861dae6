"""A written rule becomes a selection of the register: names are looked up, segments opened, answers found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.campaigns import segments
from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.rules import Condition, Rule
from mailer.campaigns.words import Names
from mailer.errors import Mistake
from mailer.events.attendance import Answer
from mailer.events.models import Event, Rsvp
from mailer.events.rows import id_of
from subscribers.errors import Refused
from subscribers.finding import find_member
from subscribers.listing import find_district
from subscribers.models import District, Ground, Topic
from subscribers.near import nearest
from subscribers.selection import Choice, Selection, with_those_inside

Where = Callable[[str], Place]  # of a key


@dataclass(frozen=True, slots=True)
class About:
    """What a rule is read for. `event`: what the letter is about; `at`: where its keys stand, None: in no file."""

    event: Event | None = None
    at: Where | None = None


def normalised(session: Session, rule: Rule, about: About) -> Rule:
    """Return the rule with districts by slug and members by id. raises Mistake (WrongText where it knows the place)"""

    def one(condition: Condition, key: str) -> dict[str, object]:
        with _placed(about, f"{key}districts"):
            districts = tuple(find_district(session, said).slug for said in condition.districts)
        with _placed(about, f"{key}topics"):
            topics = tuple(_find_topic(session, said).slug for said in condition.topics)
        with _placed(about, f"{key}members"):
            members = tuple(f"id:{find_member(session, said)}" for said in condition.members)
        with _placed(about, f"{key}segment"):
            if condition.segment:
                segments.find(session, condition.segment)
        with _placed(about, f"{key}answers"):
            if condition.answers and about.event is None:
                raise Mistake("Answers can be chosen by a letter about that event only: name it as event = …")
        return {"districts": districts, "topics": topics, "members": members}

    return rule.model_copy(
        update=one(rule, "audience.")
        | {
            name: tuple(
                condition.model_copy(update=one(condition, f"audience.{name}.{number}."))
                for number, condition in enumerate(getattr(rule, name))
            )
            for name in ("include", "exclude")
        }
    )


def selection_of(session: Session, rule: Rule, event: Event | None = None) -> Selection:
    """Return the selection of a normalised rule. raises Mistake when a segment is not there any more"""
    return Selection(
        who=_choice(session, rule, event),
        include=tuple(_choice(session, condition, event) for condition in rule.include),
        exclude=tuple(_choice(session, condition, event) for condition in rule.exclude),
    )


def names(session: Session, publication: dict[str, str], event: str) -> Names:
    """Return what a rule's words are. `publication`: its name by language"""
    return Names(
        publication=publication,
        districts=dict(session.exec(select(District.slug, District.name)).all()),
        topics={topic.slug: {"sv": topic.name, "en": topic.name_en} for topic in session.exec(select(Topic))},
        segments=segments.rules(session),
        event=event,
    )


def _choice(session: Session, condition: Condition, event: Event | None) -> Choice:
    slugs = select(District.id).where(col(District.slug).in_(condition.districts))
    districts = frozenset(number for number in session.exec(slugs) if number)
    topics = session.exec(select(Topic.id).where(col(Topic.slug).in_(condition.topics)))
    segment = segments.find(session, condition.segment) if condition.segment else None
    return Choice(
        districts=with_those_inside(session, districts) if condition.sub_districts else districts,
        topics=frozenset(number for number in topics if number),
        languages=frozenset(condition.languages),
        among=_answered(condition, event),
        ground=Ground(condition.ground) if condition.ground else None,
        members=frozenset(find_member(session, said) for said in condition.members),
        within=selection_of(session, segment) if segment else None,
    )


def _answered(condition: Condition, event: Event | None) -> sa.Select[Any] | None:
    """Return a query for those who gave one of the answers to the event that the letter is about."""
    if not condition.answers or event is None:
        return None
    gave = sa.select(col(Rsvp.member_id)).where(col(Rsvp.event_id) == id_of(event))
    return gave.where(col(Rsvp.answer).in_([Answer(answer) for answer in condition.answers]))


def _find_topic(session: Session, said: str) -> Topic:
    """Find a topic by slug or either name. raises Refused, which names what is spelled alike"""
    rows = session.exec(select(Topic).order_by(Topic.slug)).all()
    slugs = {name.casefold(): row for row in rows for name in (row.name_en, row.name, row.slug)}
    wanted = said.strip().casefold()
    if wanted in slugs:
        return slugs[wanted]
    near = nearest(wanted, {name: row.slug for name, row in slugs.items()})
    if near:
        raise Refused("There is no topic {name}. Did you mean {near}?", name=said, near=", ".join(near))
    raise Refused("There is no topic {name}.", name=said)


@contextmanager
def _placed(about: About, key: str) -> Iterator[None]:
    """Say where in the letter it stands what is wrong."""
    try:
        yield
    except (Mistake, Refused) as error:
        if about.at is None:
            raise
        raise WrongText(error.sentence, at=about.at(key), **error.values) from None
