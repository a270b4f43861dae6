"""A fresh link by mail: what is personal is shown only to whoever can open the member's mailbox now."""

from datetime import datetime

from sqlmodel import Session

from mailer.links import Claim, Purpose, hour_of
from mailer.outbox.single import LetterToOne, post
from mailer.web.house import House
from mailer.web.standing import Standing

GOOD_FOR = 4  # hours, and what is left of the one in which it was asked for


def is_fresh(claim: Claim, now: datetime) -> bool:
    """Whether the link, which carries the hour in which it was asked for, is still good."""
    return 0 <= hour_of(now) - claim.mailing <= GOOD_FOR


def send_link(house: House, session: Session, standing: Standing, now: datetime) -> None:
    """Post the letter with the link; asked again within the hour, the one that is on its way will do."""
    letter = LetterToOne(
        key=f"own-data:{standing.member_id}:{hour_of(now)}",
        letter="own-data",
        publication=sender_of(house, standing),
        member_id=standing.member_id,
        language=house.spoken(standing.language),
    )
    post(session, letter, give_up_after=house.app.settings.outbox.give_up_after, now=now)


def link_path(house: House, claim: Claim) -> str:
    """Return where a form asks for a fresh link."""
    return f"/m/{house.app.links.tokens.make(Purpose.PREFERENCES, claim.member, claim.mailing)}/link"


def sender_of(house: House, standing: Standing) -> str:
    """Return the publication in whose name we write: the one whose link was opened, if there still is such a one."""
    settings = house.app.settings
    known = standing.publication in settings.publications
    return standing.publication if known and standing.publication else settings.digest.publication
