"""A letter as people look at it before it goes: for a page, or as a mail to named addresses. Belongs to no mailing."""

from datetime import datetime
from uuid import uuid4

from mailer.errors import Mistake
from mailer.links import Links, Purpose
from mailer.message import Message
from mailer.message.headers import Refused, addr_spec, recipient
from mailer.render.letters import Letter, Letters
from mailer.render.recipients import Person, Recipient
from mailer.sentences import Word

# Links of a sample have the form of a member's and are nobody's: members are numbered from 1.
_NOBODY = 0


def sample(sender: str, address: str, links: Links, now: datetime, *, name: str = "") -> Recipient:
    """Return somebody whom a letter could go to. `name`: what they are called"""
    recruit = links.act(Purpose.RECRUIT, _NOBODY, 0)
    person = Person(name, links.unsubscribe(_NOBODY, 0), links.preferences(_NOBODY, 0), recruit)
    message_id = f"{uuid4().hex}@{sender.rpartition('@')[2]}"
    return Recipient(address=address, persons=(person,), message_id=message_id, date=now)


def mail(letters: Letters, letter: Letter, links: Links, *, address: str, now: datetime) -> Message:
    """Return the letter as a mail to `address`. raises Mistake when that is no address"""
    sender = letter.letterhead.from_address
    try:
        envelope = [addr_spec(sender, sender).decode("ascii"), recipient(address, address).decode()]
    except Refused as error:
        raise Mistake("{address} {reason}.", address=error.where, reason=Word(error.reason)) from None
    content = letters.compose_one(letter, sample(sender, address, links, now))
    return Message(envelope[0], envelope[1], content)
