"""The shipped places and topics as rows of the register's reference lists, and slugs as people write them."""

from collections.abc import Iterable

from sqlmodel import Session, select

from mailer.errors import Mistake
from mailer.news.models import TagKind
from mailer.news.shipped import shipped_places, shipped_topics
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
    names: dict[str, tuple[TagKind, str]] = {}
    for topic in session.exec(select(Topic)):
        _learn(names, (TagKind.TOPIC, topic.slug), (topic.slug, topic.name, topic.name_en))
    for district in session.exec(select(District)):
        _learn(names, (TagKind.DISTRICT, district.slug), (district.slug, district.name))
    wanted = said.strip().casefold()
    if wanted in names:
        return names[wanted]
    near = nearest(wanted, {name: slug for name, (_, slug) in names.items()})
    if near:
        raise Mistake("There is no district or topic {name}. Did you mean {near}?", name=said, near=", ".join(near))
    raise Mistake("There is no district or topic {name}.", name=said)


def _learn(names: dict[str, tuple[TagKind, str]], tag: tuple[TagKind, str], spellings: Iterable[str]) -> None:
    for spelling in spellings:
        names[spelling.casefold()] = tag
