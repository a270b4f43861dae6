"""The shipped places and topics as rows of the register's reference lists, and slugs as people write them."""

from collections.abc import Mapping
from pathlib import Path

from sqlmodel import Session, select

from mailer.config import Settings
from mailer.config.slugs import DistrictSlug, TopicSlug, named
from mailer.errors import Mistake
from mailer.news.models import TagKind
from mailer.news.shipped import shipped_places, shipped_topics
from mailer.sentences import N_
from subscribers.models import District, DistrictKind, Topic
from subscribers.near import nearest


def load_reference(session: Session) -> int:
    """Insert the shipped districts and topics that are missing; returns how many. Safe to repeat."""
    known = {district.slug: district for district in session.exec(select(District))}
    topics = set(session.exec(select(Topic.slug)).all())
    added = 0
    for place in shipped_places():  # a parent comes before its children
        if place.slug not in known:
            parent = known[place.parent].id if place.parent else None
            district = District(slug=place.slug, name=place.name, kind=DistrictKind(place.kind), parent_id=parent)
            session.add(district)
            session.flush()
            known[place.slug] = district
            added += 1
    new = [topic for topic in shipped_topics() if topic.slug not in topics]
    session.add_all(Topic(slug=topic.slug, name=topic.name, name_en=topic.name_en) for topic in new)
    session.flush()
    return added + len(new)


def find_tag(session: Session, said: str) -> tuple[TagKind, str]:
    """Find a district or topic by slug or name: "bromma", "Hägersten-Älvsjö", "skola".

    raises  Mistake, which names what is spelled alike
    """
    names = {name: (TagKind.TOPIC, slug) for name, slug in _topics(session).items()}
    names |= {name: (TagKind.DISTRICT, slug) for name, slug in _districts(session).items()}
    wanted = said.strip().casefold()
    if wanted in names:
        return names[wanted]
    near = nearest(wanted, {name: slug for name, (_, slug) in names.items()})
    if near:
        raise Mistake("There is no district or topic {name}. Did you mean {near}?", name=said, near=", ".join(near))
    raise Mistake("There is no district or topic {name}.", name=said)


# What is said of a slug in the config that nothing has: with what it may have meant, and without.
_UNKNOWN: Mapping[type[str], tuple[str, str]] = {
    DistrictSlug: (
        N_("{path}: {key}: there is no district {name}. Did you mean {near}?"),
        N_("{path}: {key}: there is no district {name}; `utskick districts` lists them."),
    ),
    TopicSlug: (
        N_("{path}: {key}: there is no topic {name}. Did you mean {near}?"),
        N_("{path}: {key}: there is no topic {name}; `utskick topics` lists them."),
    ),
}


def require_known(session: Session, settings: Settings, path: Path) -> None:
    """Refuse a config whose districts and topics are not all there. raises Mistake, which names what is spelled alike

    path    of the config, to be named
    """
    known: Mapping[type[str], dict[str, str]] = {DistrictSlug: _districts(session), TopicSlug: _topics(session)}
    for key, slug in named(settings):
        names = known[type(slug)]
        if slug in names.values():
            continue
        near = ", ".join(nearest(slug, names))
        alike, strange = _UNKNOWN[type(slug)]
        raise Mistake(alike if near else strange, path=path, key=key, name=slug, near=near)


def _districts(session: Session) -> dict[str, str]:
    """Return every spelling of a district, and the slug it means."""
    rows = session.exec(select(District.slug, District.name))
    return {spelling.casefold(): slug for slug, name in rows for spelling in (name, slug)}


def _topics(session: Session) -> dict[str, str]:
    rows = session.exec(select(Topic.slug, Topic.name, Topic.name_en))
    return {spelling.casefold(): slug for slug, *names in rows for spelling in (*names, slug)}
