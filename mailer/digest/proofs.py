"""A sheet of an edition as people see it: a page to look at, or a mail to named addresses. Belongs to no mailing."""

from datetime import datetime

from mailer.digest.editions import LETTER
from mailer.digest.plan import Basis
from mailer.digest.previews import Sheet, letter_of
from mailer.links import Links
from mailer.message import Message
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters, Shown
from mailer.render.samples import mail, sample


def show(letters: Letters, basis: Basis, sheet: Sheet, links: Links, now: datetime) -> Shown:
    """Return the sheet to be looked at, as a page or as text."""
    contact = basis.settings.publications[basis.edition.publication].from_address
    return letters.show(_letter(basis, sheet), sample(contact, contact, links, now))


def reasons(letters: Letters, basis: Basis, sheet: Sheet) -> dict[int, str]:
    """Return item -> the sentence that tells the sheet's readers why they get it."""
    return {
        item["item"]: letters.part(f"{LETTER}/reason.txt", sheet.form.language, {"item": item}).strip()
        for section in letter_of(basis, sheet)["sections"]
        for item in section["items"]
    }


def proof(letters: Letters, basis: Basis, sheet: Sheet, links: Links, *, address: str, now: datetime) -> Message:
    """Return the sheet as a mail to `address`. raises Mistake when that is no address"""
    return mail(letters, _letter(basis, sheet), links, address=address, now=now)


def _letter(basis: Basis, sheet: Sheet) -> Letter:
    return Letter(
        template=LETTER,
        language=sheet.form.language,
        letterhead=letterhead_of(basis.settings, basis.edition.publication, sheet.form.language, sheet.form.letterhead),
        context=letter_of(basis, sheet),
        manner=Manner.SINGLE,
        plain_only=sheet.form.plain_only,
    )
