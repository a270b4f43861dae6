"""A person's mail that came to one of our addresses, on its way to somebody who reads it. Pure.

It goes as an attachment of a mail of ours: sent on as it is, its sender's domain would say that we forged it (DMARC).
The attachment is base64, so that not an octet changes; message/rfc822 may not be encoded (RFC 2046 §5.2.1).
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.utils import parseaddr

from mailer.feedback.reading.opened import Opened, open_mail
from mailer.message import Message
from mailer.message.characters import one_line
from mailer.message.headers import Refused, addr_spec
from mailer.message.note import write_note

_MARK = "X-Utskick-Forwarded"
_HOPS = 50  # servers on the way; RFC 5321 §6.3 asks for a large number
_MOST_WORDS = 20_000  # characters shown beside the attachment


@dataclass(frozen=True, slots=True)
class Forwarder:
    """`address`, called `name`, writes to `to`."""

    name: str
    address: str
    to: str


def is_going_round(octets: bytes) -> bool:
    """Whether we forwarded a mail before, or it has been at too many servers."""
    mail = open_mail(octets)
    return mail.has(_MARK.lower()) or sum(name == "received" for name, _ in mail.fields) > _HOPS


def forward(octets: bytes, by: Forwarder, *, now: datetime) -> Message:
    """Wrap a mail: its words to be read at once, an answer goes to its sender, the whole of it beside."""
    opened = open_mail(octets)
    mail = write_note(
        (by.name, by.address),
        by.to,
        language=None,
        subject=one_line(opened.field("subject"))[:200] or "-",
        lines=(one_line(opened.field("from")), one_line(opened.field("date")), "", _words(opened)),
        now=now,
    )
    if sender := _sender(opened):
        mail["Reply-To"] = sender
    mail[_MARK] = "1"
    mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename="mail.eml")
    return Message(by.address, by.to, bytes(mail))


def _sender(mail: Opened) -> Address | None:
    """Return who wrote it, where that is an address that can be answered."""
    _, address = parseaddr(mail.field("reply-to") or mail.field("from"))
    try:
        return Address(addr_spec=addr_spec("Reply-To", address).decode("ascii"))
    except (Refused, ValueError):
        return None


def _words(mail: Opened) -> str:
    text = next(mail.own("text/plain"), None)
    return "" if text is None else text.text[:_MOST_WORDS]
