"""A letter that was sent, and one that was forgotten since."""

import json
from typing import Literal

from mailer.links import Purpose
from mailer.outbox.models import Archived, Mailing, MailingState, Piece, Variant
from tests.builders import MOMENT
from tests.mailer.web.conftest import LETTER, Site

VARIANT, FORGOTTEN = 101, 102  # far from those of the letters that tests let the pages post
PIECE = {
    "item": 1,
    "title": "Ny cykelbana <b>",
    "paragraphs": ["Den byggs i år."],
    "teaser": "Den byggs i år.",
    "url": "https://example.org/cykelbana",
    "source_name": "Distriktet",
    "published": "2024-03-01",
    "image": None,
    "important": False,
}
CONTENT = {"sections": [{"heading": "district:bromma", "items": [[1, "district:bromma"]]}], "letterhead": None}
SHARED = {
    "edition": "2024-W10",
    "subject": None,
    "intro": "Veckan som gick.",
    "correction": None,
    "names": {"district": {"bromma": "Bromma"}, "topic": {}},
}


def a_letter_was_sent(site: Site) -> str:
    """Return the path of its page."""
    with site.app.writing() as session:
        mailing = session.get_one(Mailing, LETTER)
        mailing.content, mailing.plan, mailing.started_at = json.dumps(SHARED), 1, MOMENT
        mailing.state, mailing.done_at, mailing.give_up_at = MailingState.DONE, MOMENT, MOMENT
        session.add(Piece(mailing_id=LETTER, ref=1, content=json.dumps(PIECE)))
        session.add(Variant(id=VARIANT, mailing_id=LETTER, plan=1, language="sv", content=json.dumps(CONTENT)))
        session.add(Variant(id=FORGOTTEN, mailing_id=LETTER, plan=1, language="sv", content=""))
    return page_of(site, VARIANT)


def page_of(site: Site, variant: int, mailing: int = LETTER) -> str:
    return f"/v/{site.app.links.tokens.make(Purpose.VIEW, variant, mailing)}"


def stands_in_the_archive(site: Site, who: Literal["members", "public"], *districts: str) -> None:
    """Let the letter stand there, for everyone and for `districts`, in both languages."""
    published = {
        slug: one.model_copy(update={"archive": who if slug == "weekly" else "none"})
        for slug, one in site.app.settings.publications.items()
    }
    site.app.settings = site.app.settings.model_copy(update={"publications": published})
    about = {"mailing_id": LETTER, "publication": "weekly", "issue": "2024-W10", "variant_id": VARIANT}
    with site.app.writing() as session:
        session.add_all(
            Archived(district=district, language=language, title=PIECE["title"], **about)
            for district in ("", *districts)
            for language in ("sv", "en")
        )
