"""Leaving by what a mail program sends for its reader: the one-click POST, or a mail to the address beside it.

Both come from a header that belongs to the whole letter, so both speak for everyone whom it greeted. Which letter a
mail is about is read in mailer.feedback.reading.wishes.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from mailer.links import Claim
from mailer.outbox.enqueue import BATCH
from mailer.outbox.models import Delivery, Mailing
from subscribers import consent

ONE_CLICK, BY_MAIL = "one-click", "mail"  # what the evidence of consent names as its source


def withdraw(session: Session, claim: Claim, *, source: str, now: datetime) -> bool:
    """Leave the publication of the letter that `claim` came in, for its household. Returns whether anything changed.

    A letter that we no longer know is left by leaving everything: that it stops is what was asked for.
    """
    return withdraw_all(session, [claim], source=source, now=now)


def withdraw_all(session: Session, claims: Collection[Claim], *, source: str, now: datetime) -> bool:
    """Do `withdraw` for some hundred claims at most: the number of statements grows with the publications alone."""
    letters = select(Mailing.id, Mailing.publication).where(col(Mailing.id).in_({claim.mailing for claim in claims}))
    publications = dict(session.exec(letters).all())
    leaving: dict[str | None, set[int]] = {}
    for claim, members in households(session, claims).items():
        leaving.setdefault(publications.get(claim.mailing), set()).update(members)
    changed = False
    for publication, members in leaving.items():
        if publication is None:
            for member in sorted(members):
                changed |= consent.withdraw(session, member, publication=None, source=source, now=now)
        else:
            changed |= bool(
                consent.withdraw_many(session, sorted(members), publication=publication, source=source, now=now)
            )
    return changed


_OWN, _OTHER = aliased(Delivery), aliased(Delivery)
# A household's deliveries lie side by side: looked for by the mailing alone, a million would be gone through.
_BESIDE = col(_OTHER.id).between(col(_OWN.id) - BATCH, col(_OWN.id) + BATCH)
_SAME_MAIL = sa.and_(
    _BESIDE, col(_OTHER.mailing_id) == col(_OWN.mailing_id), col(_OTHER.household) == col(_OWN.household)
)
_GREETED = (
    sa.select(col(_OWN.mailing_id), col(_OWN.member_id), col(_OTHER.member_id))
    .join(_OTHER, _SAME_MAIL)
    .where(
        col(_OWN.mailing_id).in_(sa.bindparam("mailings", expanding=True)),
        col(_OWN.member_id).in_(sa.bindparam("members", expanding=True)),
        col(_OWN.household).is_not(None),
    )
)


def households(session: Session, claims: Collection[Claim]) -> dict[Claim, set[int]]:
    """Return for each claim everyone whom the mail greeted that it came in: they share its one unsubscribe header."""
    found = {claim: {claim.member} for claim in claims}
    of_letter = {(claim.mailing, claim.member): claim for claim in claims}
    named = {"mailings": list({claim.mailing for claim in claims}), "members": list({claim.member for claim in claims})}
    for mailing, member, greeted in session.execute(_GREETED, named):
        if claim := of_letter.get((mailing, member)):
            found[claim].add(greeted)
    return found
