"""Whose name a letter bears, as config.toml has it."""

from mailer.config import Settings
from mailer.config.publications import DistrictLetterhead
from mailer.render.head import Letterhead

_NOTHING_OWN = DistrictLetterhead()


def letterhead_of(settings: Settings, publication: str, language: str, district: str | None) -> Letterhead:
    """Return who signs: the publication, or one of its districts for whatever that has of its own.

    raises  Mistake when config has no such publication
    """
    published, site = settings.published(publication), settings.site
    own = published.districts.get(district or "", _NOTHING_OWN)
    return Letterhead(
        organisation=site.organisation,
        postal_address=site.postal_address,
        contact=site.contact,
        from_name=own.from_name or published.from_name,
        from_address=published.from_address,
        reply_to=own.reply_to or published.reply_to,
        list_id=published.list_id,
        unsubscribe_address=published.unsubscribe_address,
        publication_name=settings.name_of(publication, language),
    )


def signing(settings: Settings, publication: str, districts: frozenset[str]) -> str | None:
    """Return the district that signs for whoever chose `districts`: their only one, if it has anything own."""
    only = next(iter(districts)) if len(districts) == 1 else None
    return only if only in settings.publications[publication].districts else None
