"""A sheet of an edition as people see it: a page to look at, or a mail to named addresses. Belongs to no mailing."""

from datetime import datetime
from uuid import uuid4

from mailer.digest.editions import LETTER
from mailer.digest.plan import Basis
from mailer.digest.previews import Sheet, letter_of
from mailer.errors import Mistake
from mailer.links import Links
from mailer.message import Message
from mailer.message.headers import Refused, addr_spec, recipient
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters
from mailer.render.recipients import Person, Recipient
from mailer.sentences import Word

# Links of a proof have the form of a member's and are nobody's: members are numbered from 1.
_NOBODY = 0


def html_of(letters: Letters, basis: Basis, sheet: Sheet, links: Links, now: datetime) -> str:
    """Return the sheet as a page, for the browser or as an attachment."""
    contact = basis.settings.publications[basis.edition.publication].from_address
    return letters.show(_letter(basis, sheet), _sample(contact, contact, links, now)).html


def reasons(letters: Letters, basis: Basis, sheet: Sheet) -> dict[int, str]:
    """Return item -> the sentence that tells the sheet's readers why they get it."""
    return {
        item["item"]: letters.part(f"{LETTER}/reason.txt", sheet.form.language, {"item": item}).strip()
        for section in letter_of(basis, sheet)["sections"]
        for item in section["items"]
    }


def proof(letters: Letters, basis: Basis, sheet: Sheet, links: Links, *, address: str, now: datetime) -> Message:
    """Return the sheet as a mail to `address`. raises Mistake when that is no address"""
    sender = basis.settings.publications[basis.edition.publication].from_address
    try:
        envelope = [addr_spec(sender, sender).decode("ascii"), recipient(address, address).decode()]
    except Refused as error:
        raise Mistake("{address} {reason}.", address=error.where, reason=Word(error.reason)) from None
    content = letters.compose_one(_letter(basis, sheet), _sample(sender, address, links, now))
    return Message(envelope[0], envelope[1], content)


def _letter(basis: Basis, sheet: Sheet) -> Letter:
    return Letter(
        template=LETTER,
        language=sheet.form.language,
        letterhead=letterhead_of(basis.settings, basis.edition.publication, sheet.form.language, sheet.form.letterhead),
        context=letter_of(basis, sheet),
        manner=Manner.SINGLE,
        plain_only=sheet.form.plain_only,
    )


def _sample(sender: str, address: str, links: Links, now: datetime) -> Recipient:
    person = Person("", links.unsubscribe(_NOBODY, 0), links.preferences(_NOBODY, 0))
    message_id = f"{uuid4().hex}@{sender.rpartition('@')[2]}"
    return Recipient(address=address, persons=(person,), message_id=message_id, date=now)
