"""Everything a plan needs to know, read from the database into frozen values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.digest.contents import Json
from mailer.digest.items import MONTH, SERVED_THIS_MONTH, Happening, Item, Occasion
from mailer.digest.models import Edition, EditionChoice
from mailer.links import Links
from mailer.news.models import NewsItem, NewsTag, TagKind
from mailer.news.teasers import teaser
from mailer.outbox.history import HAD, variants_had
from mailer.outbox.models import Delivery, Mailing, Variant, VariantStory
from subscribers.models import District, Topic
from subscribers.reader import Reader
from subscribers.reference import parents

_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Candidates:
    """The items of an edition. `pieces`: what is frozen of each; `stories`: item id -> story id."""

    items: tuple[Item, ...]
    pieces: Mapping[int, Json]
    stories: Mapping[int, int]
    bits: Mapping[int, int]  # story id, and id of any telling -> its bit in the mask of what someone has had


# What earlier editions told: mailing id -> variant id -> mask, of the mailings whose deliveries have to be looked at.
Told = Mapping[int, Mapping[int, int]]


def occasion(
    session: Session,
    settings: Settings,
    happenings: tuple[Happening, ...],
    newcomers: Mapping[str, int],
    now: datetime,
) -> Occasion:
    digest = settings.digest
    return Occasion(
        now=now,
        fresh_for=digest.fresh_for,
        new_member=digest.new_member,
        at_least=digest.at_least,
        per_section=digest.per_section,
        at_most=digest.at_most,
        parents=parents(session),
        happenings=happenings,
        at_most_happenings=digest.events,
        newcomers=newcomers,
    )


def names(session: Session) -> Json:
    """Return what districts and topics are called, as it is frozen with a mailing."""
    return {
        "district": dict(session.exec(select(District.slug, District.name)).all()),
        "topic": {topic.slug: {"sv": topic.name, "en": topic.name_en} for topic in session.exec(select(Topic))},
    }


def candidates(session: Session, settings: Settings, edition: Edition, links: Links, now: datetime) -> Candidates:
    """Return the approved items that are fresh enough for anyone, as the edition's editor wants them."""
    oldest = now - max(settings.digest.fresh_for, MONTH)
    recent = select(NewsItem).where(NewsItem.published_at >= oldest, NewsItem.published_at <= now, NewsItem.approved)
    rows = session.exec(recent.where(~col(NewsItem.hidden)).order_by(col(NewsItem.id))).all()
    choices = {
        choice.item_id: choice
        for choice in session.exec(select(EditionChoice).where(EditionChoice.edition_id == edition.id))
    }
    tags = _tags(session, [row.id for row in rows if row.id])
    stories = {row.id: row.story_id or row.id for row in rows if row.id}
    bits = {story: SERVED_THIS_MONTH << place for place, story in enumerate(sorted(set(stories.values())), start=1)}
    nothing: tuple[set[str], set[str]] = (set(), set())
    return Candidates(
        items=tuple(
            _item(row, choices.get(row.id), tags.get(row.id, nothing), bits[stories[row.id]]) for row in rows if row.id
        ),
        pieces={row.id: piece(row, settings, links) for row in rows if row.id},
        stories=stories,
        # A telling that was a story of its own when it was sent counts for the story it was found to be since.
        bits=bits | {item: bits[story] for item, story in stories.items()},
    )


def told(session: Session, edition: Edition, bits: Mapping[int, int], month: Iterable[int]) -> Told:
    """Return which variants of valid plans told a candidate story. `month`: the mailings of this month's editions."""
    masks: defaultdict[int, dict[int, int]] = defaultdict(dict)
    valid = sa.select(col(Variant.id), col(Variant.mailing_id)).join(
        Mailing, sa.and_(col(Mailing.id) == col(Variant.mailing_id), col(Mailing.plan) == col(Variant.plan))
    )
    stories = valid.join(VariantStory, col(VariantStory.variant_id) == col(Variant.id)).where(
        col(VariantStory.story_id).in_(list(bits)), col(Variant.mailing_id) != edition.mailing_id
    )
    for variant, mailing, story in session.execute(stories.add_columns(col(VariantStory.story_id))).yield_per(_ROWS):
        masks[mailing][variant] = masks[mailing].get(variant, 0) | bits[story]
    for variant, mailing in session.execute(valid.where(col(Variant.mailing_id).in_(list(month)))).yield_per(_ROWS):
        masks[mailing][variant] = masks[mailing].get(variant, 0) | SERVED_THIS_MONTH
    return masks


def mailings_of_month(session: Session, settings: Settings, edition: Edition) -> list[int]:
    """Return the mailings of the other editions that are due in the same calendar month as this one."""
    zone = settings.site.zone
    due = select(Mailing.id, Mailing.send_at).join(Edition, col(Edition.mailing_id) == col(Mailing.id))
    rows = session.exec(due.where(Edition.publication == edition.publication)).all()
    months = {number: (at.astimezone(zone).year, at.astimezone(zone).month) for number, at in rows if number and at}
    mine = months.get(edition.mailing_id)
    return [number for number, month in months.items() if month == mine and number != edition.mailing_id]


def had(connection: sa.Connection, told: Told, reader: Reader) -> int:
    """Return the mask of what anyone of one reader's household has had."""
    delivered = sa.select(col(Delivery.mailing_id), col(Delivery.variant_id)).where(
        col(Delivery.mailing_id).in_(told.keys()),
        col(Delivery.member_id).in_(reader.household),
        col(Delivery.state).in_(HAD),
    )
    mask = 0
    for mailing, variant in connection.execute(delivered):
        mask |= told[mailing].get(variant, 0)
    return mask


class History:
    """What every member has had, for planning: the variant of each recent mailing, four bytes a member and mailing."""

    def __init__(self, connection: sa.Connection, told: Told) -> None:
        self._mailings = [(variants_had(connection, mailing, masks), masks) for mailing, masks in told.items()]

    def had(self, reader: Reader) -> int:
        """Return the mask of what anyone of the reader's household has had."""
        mask = 0
        for member in reader.household:
            for variants, masks in self._mailings:
                if variant := variants[member]:
                    mask |= masks[variant]
        return mask


def _tags(session: Session, items: Sequence[int]) -> dict[int, tuple[set[str], set[str]]]:
    found: dict[int, tuple[set[str], set[str]]] = {}
    rows = select(NewsTag.item_id, NewsTag.kind, NewsTag.slug).where(
        col(NewsTag.item_id).in_(items), ~col(NewsTag.removed)
    )
    for item, kind, slug in session.exec(rows):
        districts, topics = found.setdefault(item, (set(), set()))
        (districts if kind is TagKind.DISTRICT else topics).add(slug)
    return found


def _item(row: NewsItem, choice: EditionChoice | None, tags: tuple[set[str], set[str]], bit: int) -> Item:
    assert row.id is not None  # noqa: S101  it was read from the table
    return Item(
        id=row.id,
        bit=bit,
        published_at=row.published_at,
        districts=frozenset(tags[0]),
        topics=frozenset(tags[1]),
        expires_at=row.expires_at,
        important=row.important,
        hidden=row.hidden or bool(choice and choice.left_out),
        lead=bool(choice and choice.lead),
        position=choice.position if choice else None,
    )


def piece(row: NewsItem, settings: Settings, links: Links) -> Json:
    """Return what is frozen of an item. Without a link of its own it has a page here, and is our own news."""
    paragraphs = [part.strip() for part in row.body.split("\n\n") if part.strip()]
    host = urlsplit(row.url).hostname if row.url else None
    image = None
    if row.image:
        size = {"width": row.image_width, "height": row.image_height}
        image = {"url": links.image(row.image), "alt": row.image_alt} | size
    return {
        "item": row.id,
        "title": row.title,
        "language": row.language,
        "paragraphs": paragraphs,
        "teaser": teaser(paragraphs),
        "url": row.url or links.news_item(row.id or 0),
        "source_name": host.removeprefix("www.") if host else settings.site.organisation,
        "published": row.published_at.astimezone(settings.site.zone).date().isoformat(),
        "image": image,
        "important": row.important,
    }
