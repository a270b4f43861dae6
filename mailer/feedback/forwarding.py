"""A person's mail that came to one of our addresses, on its way to somebody who reads it. Pure.

It goes as an attachment of a mail of ours: sent on as it is, its sender's domain would say that we forged it (DMARC).
The attachment is base64, so that not an octet changes; message/rfc822 may not be encoded (RFC 2046 §5.2.1).
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from mailer.feedback.reading.opened import Opened, open_mail
from mailer.message import Message
from mailer.message.characters import one_line
from mailer.message.headers import Refused, addr_spec

_MARK = "X-Utskick-Forwarded"
_HOPS = 50  # servers on the way; RFC 5321 §6.3 asks for a large number
_MOST_WORDS = 20_000  # characters shown beside the attachment
_POLICY = SMTP.clone(cte_type="7bit")


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
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(by.name, addr_spec=by.address)
    mail["To"] = Address(addr_spec=by.to)
    if sender := _sender(opened):
        mail["Reply-To"] = sender
    mail["Subject"] = one_line(opened.field("subject"))[:200] or "-"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=by.address.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail[_MARK] = "1"
    mail.set_content(_words(opened), cte="base64")
    mail.add_attachment(octets, maintype="application", subtype="octet-stream", filename="mail.eml")
    return Message(sender=by.address, recipient=by.to, content=bytes(mail))


def _sender(mail: Opened) -> Address | None:
    """Return who wrote it, where that is an address that can be answered."""
    _, address = parseaddr(mail.field("reply-to") or mail.field("from"))
    try:
        return Address(addr_spec=addr_spec("Reply-To", address).decode("ascii"))
    except (Refused, ValueError):
        return None


def _words(mail: Opened) -> str:
    text = next(mail.own("text/plain"), None)
    words = "" if text is None else text.text[:_MOST_WORDS]
    return f"{one_line(mail.field('from'))}\n{one_line(mail.field('date'))}\n\n{words}\n"
