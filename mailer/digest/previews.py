"""What an edition would be, before anything is sent: who gets what, and where there is nothing to get."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mailer.digest import gather
from mailer.digest.contents import Json, expand, variant_content
from mailer.digest.items import Item
from mailer.digest.plan import (
    Assignment,
    Basis,
    Form,
    assign,
    form_of,
    imagined,
    letterheads,
    mailing_content,
    readers_with_had,
)
from mailer.digest.reasons import reaching
from mailer.digest.rules import Digest
from mailer.errors import Mistake
from mailer.sentences import N_
from subscribers import audience, listing
from subscribers.models import Member
from subscribers.reader import Reader
from subscribers.recipient import why_not
from subscribers.tree import steps_up

# What `why_not` names, as people say it.
_WHY_NOT = {
    "pending": N_("they have not confirmed their address"),
    "left": N_("they have left"),
    "erased": N_("they are erased"),
    "no address": N_("they have no address"),
    "suppressed": N_("nothing may be sent to their address"),
    "not subscribed": N_("they never subscribed to this"),
    "unsubscribed": N_("they have unsubscribed from this"),
    "paused": N_("they have paused it"),
    "changed": N_("their choices changed just now"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One content and how many would get it: members who share an address share a mail."""

    form: Form
    digest: Digest
    mails: int
    members: int


@dataclass(frozen=True, slots=True)
class Cover:
    """What one district has of each topic.

    name    the district's
    read    whether anyone who may be written to has chosen it
    local   items tagged with the district itself
    topics  slug -> items
    """

    district: str
    name: str
    read: bool
    local: int
    topics: Mapping[str, int]

    @property
    def holes(self) -> tuple[str, ...]:
        return tuple(topic for topic, items in self.topics.items() if not items)


def sheets(session: Session, basis: Basis, now: datetime) -> tuple[list[Sheet], Assignment]:
    """Decide for everyone as planning would. Returns the contents, the most common first, and the counts."""
    readers = readers_with_had(session.connection(), basis, now.astimezone(basis.settings.site.zone))
    assignment = assign(basis, readers)
    digests = list(basis.decisions.digests)
    found = [
        Sheet(form, digests[form.digest], mails=_mails(flat), members=len(flat) // 2)
        for form, flat in assignment.forms.items()
    ]
    return sorted(found, key=lambda sheet: -sheet.members), assignment


def _mails(flat: Sequence[int]) -> int:
    """Count the households in pairs of member and household; a household is named after one of its members, or 0."""
    return sum(household in {0, member} for member, household in zip(flat[::2], flat[1::2], strict=True))


def for_member(session: Session, basis: Basis, member_id: int, now: datetime) -> Sheet | None:
    """Decide for one member's household. raises Mistake when the member would not be written to at all"""
    local = now.astimezone(basis.settings.site.zone)
    reader = audience.one(session.connection(), publication=basis.edition.publication, member_id=member_id, now=local)
    if reader is None:
        known = session.exec(select(col(Member.id)).where(Member.id == member_id)).first()
        if known is None:
            raise Mistake("There is no member {member}.", member=member_id)
        reasons = why_not(
            session.connection(), publication=basis.edition.publication, member_ids=[member_id], now=local
        )
        raise Mistake(
            "Member {member} may not be written to: {why}.", member=member_id, why=_WHY_NOT[reasons[member_id]]
        )
    return for_reader(basis, reader, gather.had(session.connection(), basis.told, reader))


def for_district(session: Session, basis: Basis, said: str) -> Sheet | None:
    """Decide for an imagined member who chose this district and nothing else, and has had nothing. raises Refused"""
    district = listing.find_district(session, said)
    return for_reader(basis, imagined(frozenset({district.slug}), basis, basis.settings.site.language), 0)


def for_reader(basis: Basis, reader: Reader, had: int) -> Sheet | None:
    number = basis.decisions.number(reader, had)
    if number is None:
        return None
    form = form_of(reader, number, letterheads(basis), basis.settings)
    return Sheet(form, basis.digest(number), mails=1, members=len(reader.household))


def letter_of(basis: Basis, sheet: Sheet) -> Json:
    """Return what the letter's templates read of a sheet: the way it goes when it is planned, without the storing."""
    refs = {item: item for item in sheet.digest.items}
    events = {pick.item: -pick.item for pick in sheet.digest.happenings}  # numbers that no news item has
    return expand(
        json.loads(mailing_content(basis.edition, basis.names)),
        {item: basis.candidates.pieces[item] for item in refs}
        | {ref: basis.coming.pieces[event] for event, ref in events.items()},
        json.loads(variant_content(sheet.digest, refs, sheet.form.letterhead, events=events)),
        sheet.form.language,
    )


def coverage(session: Session, basis: Basis, now: datetime) -> list[Cover]:
    """Count what readers of each district can get on each topic, those with readers first; none is a hole."""
    local = now.astimezone(basis.settings.site.zone)
    read = audience.districts(session.connection(), publication=basis.edition.publication, now=local)
    shown = _fresh(basis)
    covers = [_cover(basis, shown, slug, read=slug in read) for slug in basis.names["district"]]
    return sorted(covers, key=lambda cover: (not cover.read, cover.name.casefold()))


def topics_without_news(basis: Basis) -> list[str]:
    """Return the topics that no district has anything on, in the order of the alphabet."""
    told = {topic for item in _fresh(basis) for topic in item.topics}
    return sorted(topic for topic in basis.topics if topic not in told)


def _cover(basis: Basis, shown: Sequence[Item], slug: str, *, read: bool) -> Cover:
    reached = reaching(shown, steps_up({slug}, basis.decisions.occasion.parents))
    return Cover(
        district=slug,
        name=basis.names["district"][slug],
        read=read,
        local=sum(slug in item.districts for item in shown),
        topics={topic: sum(topic in item.topics for item in reached) for topic in sorted(basis.topics)},
    )


def _fresh(basis: Basis) -> list[Item]:
    """Return what is still fresh for a weekly reader."""
    occasion = basis.decisions.occasion
    start = occasion.now - occasion.fresh_for
    return [
        item
        for item in basis.candidates.items
        if not item.hidden
        and item.published_at >= start
        and (item.expires_at is None or item.expires_at > occasion.now)
    ]


def sheet_row(basis: Basis, sheet: Sheet) -> dict[str, object]:
    """Return a sheet with the field names of the words table."""
    return {
        "kind": "variant",
        "mails": sheet.mails,
        "members": sheet.members,
        "language": sheet.form.language,
        "plain_only": sheet.form.plain_only,
        "letterhead": sheet.form.letterhead,
        "items": [
            {
                "item": pick.item,
                "title": basis.candidates.pieces[pick.item]["title"],
                "section": section.heading.kind.value,
                "reason": {"kind": pick.reason.kind.value, "slug": pick.reason.slug},
            }
            for section in sheet.digest.sections
            for pick in section.picks
        ],
        "events": [
            {"event": pick.item, "reason": {"kind": pick.reason.kind.value, "slug": pick.reason.slug}}
            for pick in sheet.digest.happenings
        ],
        "newcomers": [one._asdict() for one in sheet.digest.newcomers],
    }


def cover_row(cover: Cover) -> dict[str, object]:
    return {
        "kind": "coverage",
        "district": cover.district,
        "name": cover.name,
        "read": cover.read,
        "local": cover.local,
        "topics": dict(cover.topics),
        "holes": list(cover.holes),
    }
