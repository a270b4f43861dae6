"""What a member chose, and how they change it. Choices are theirs: an import leaves alone what they set."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, delete, select

from subscribers.errors import Refused
from subscribers.models import (
    Cadence,
    District,
    Member,
    MemberDistrict,
    MemberTopic,
    State,
    Subscription,
    Topic,
)

_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Districts and topics as slugs (no topics: all of them); cadence by publication, of open subscriptions."""

    districts: frozenset[str]
    topics: frozenset[str]
    language: str
    cadence: Mapping[str, Cadence]
    plain_only: bool


def read(session: Session, member_id: int) -> Preferences | None:
    """Return a member's choices, None when the member is unknown or erased."""
    member = session.get(Member, member_id)
    if member is None or member.state is State.ERASED:
        return None
    districts = select(District.slug).join(MemberDistrict).where(MemberDistrict.member_id == member_id)
    topics = select(Topic.slug).join(MemberTopic).where(MemberTopic.member_id == member_id)
    return Preferences(
        districts=frozenset(session.exec(districts)),
        topics=frozenset(session.exec(topics)),
        language=member.language,
        cadence={row.publication: row.cadence for row in _subscriptions(session, member_id)},
        plain_only=member.plain_only,
    )


def change(session: Session, member_id: int, new: Preferences, *, source: str, now: datetime) -> None:
    """Set a member's choices. Publications that `new.cadence` does not name keep theirs.

    source  link, form or secretary; from now on an import leaves these choices alone
    raises  Refused when a slug is unknown, a publication is not subscribed to, or the member is gone
    """
    member = _member(session, member_id)
    if not _LANGUAGE.fullmatch(new.language):
        raise Refused("There is no language {language}.", language=new.language)
    districts, topics = _district_ids(session, new.districts), _topic_ids(session, new.topics)
    subscriptions = {row.publication: row for row in _subscriptions(session, member_id)}
    _refuse_unknown(new.cadence, subscriptions, "This member does not subscribe to {slug}.")
    session.exec(delete(MemberDistrict).where(col(MemberDistrict.member_id) == member_id))
    session.exec(delete(MemberTopic).where(col(MemberTopic.member_id) == member_id))
    session.add_all(MemberDistrict(member_id=member_id, district_id=number) for number in districts)
    session.add_all(MemberTopic(member_id=member_id, topic_id=number) for number in topics)
    for publication, cadence in new.cadence.items():
        subscriptions[publication].cadence = cadence
    member.language, member.plain_only = new.language, new.plain_only
    member.chosen_by, member.changed_at = source, now
    session.flush()


def pause(session: Session, member_id: int, publication: str, until: date | None) -> None:
    """Send nothing of a publication before `until`; None ends the pause.

    raises  Refused when the member does not subscribe to it
    """
    subscriptions = {row.publication: row for row in _subscriptions(session, member_id)}
    _refuse_unknown([publication], subscriptions, "This member does not subscribe to {slug}.")
    subscriptions[publication].paused_until = until
    session.flush()


def _member(session: Session, member_id: int) -> Member:
    member = session.get(Member, member_id)
    if member is None or member.state is State.ERASED:
        raise Refused("There is no member {member}.", member=member_id)
    return member


def _subscriptions(session: Session, member_id: int) -> list[Subscription]:
    query = select(Subscription).where(Subscription.member_id == member_id, col(Subscription.ended_at).is_(None))
    return list(session.exec(query))


def _district_ids(session: Session, slugs: frozenset[str]) -> list[int]:
    query = select(District.slug, District.id).where(col(District.slug).in_(slugs))
    known = {slug: number for slug, number in session.exec(query) if number is not None}
    _refuse_unknown(slugs, known, "There is no district {slug}.")
    return list(known.values())


def _topic_ids(session: Session, slugs: frozenset[str]) -> list[int]:
    query = select(Topic.slug, Topic.id).where(col(Topic.slug).in_(slugs))
    known = {slug: number for slug, number in session.exec(query) if number is not None}
    _refuse_unknown(slugs, known, "There is no topic {slug}.")
    return list(known.values())


def _refuse_unknown(asked: Collection[str], known: Collection[str], sentence: str) -> None:
    for slug in sorted(asked):
        if slug not in known:
            raise Refused(sentence, slug=slug)
