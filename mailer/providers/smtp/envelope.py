"""MAIL, RCPT and DATA for one message, as this server wants them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from mailer.errors import AddressRefused, MessageRefused, SendError
from mailer.message import Message
from mailer.providers import Outgoing
from mailer.providers.smtp.verdicts import Step

# A path that cannot end the line or the brackets it stands in. Whether it is a mailbox, the server says.
_PATH = re.compile(
    r'(?:[^\x00-\x20"<>\\\x7f]{1,64}|"(?:[^\x00-\x1f"\\\x7f]|\\[\x20-\x7e]){1,62}")@[A-Za-z0-9.:\[\]_-]{1,255}'
)
_XTEXT = re.compile(rb"[^!-*,-<>-~]")  # RFC 3461 §4: printable ASCII but + and =

_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 §4
LONGEST_ENVID = 100  # RFC 3461 §4.4


@dataclass(frozen=True, slots=True)
class Offers:
    """What EHLO said. Anything learnt before TLS is thrown away (RFC 3207 §4.2)."""

    pipelining: bool = False
    size: int = 0  # most octets of a message; 0: not said
    smtputf8: bool = False
    eight_bit: bool = False
    dsn: bool = False
    starttls: bool = False
    logins: frozenset[str] = frozenset()


Commands = tuple[tuple[Step, ...], tuple[str, ...]]  # the steps, and the line of each
_STEPS = (Step.MAIL, Step.RCPT, Step.DATA)


def read_offers(lines: tuple[bytes, ...]) -> Offers:
    """Read the lines of an EHLO reply; the first is the server's name. Unknown and malformed ones are passed over."""
    keywords: dict[str, list[str]] = {}
    for line in lines[1:]:
        # "AUTH=LOGIN" is how servers spelt it for old clients
        word, *values = line.decode("ascii", "replace").upper().replace("=", " ").split() or [""]
        keywords.setdefault(word, []).extend(values)
    size = keywords.get("SIZE", [])
    return Offers(
        pipelining="PIPELINING" in keywords,
        size=int(size[0]) if size and _SIZE.fullmatch(size[0]) else 0,
        smtputf8="SMTPUTF8" in keywords,
        eight_bit="8BITMIME" in keywords,
        dsn="DSN" in keywords,
        starttls="STARTTLS" in keywords,
        logins=frozenset(keywords.get("AUTH", [])),
    )


def write_envelope(outgoing: Outgoing, offers: Offers) -> Commands | SendError:
    """Return the commands up to DATA, or why this server cannot be asked."""
    message = outgoing.message
    sender, recipient = message.sender, message.recipient
    size = message.size if offers.size else 0
    objection = _object(message, size, offers)
    if objection is not None:
        return objection
    mail, rcpt = f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"
    if offers.size:
        mail += f" SIZE={size}"
    if not recipient.isascii():
        # To is the one thing of ours beyond 7 bits. RFC 6531 §3.1 (8) makes whoever offers the one offer the other.
        mail += " SMTPUTF8" + (" BODY=8BITMIME" if offers.eight_bit else "")
    if offers.dsn:
        mail += " RET=HDRS" + _envid(outgoing.key)
        rcpt += " NOTIFY=FAILURE,DELAY"
    return _STEPS, (mail, rcpt, "DATA")


def _envid(key: str) -> str:
    coded = _XTEXT.sub(lambda octet: b"+%02X" % octet[0][0], key.encode()).decode("ascii")
    return f" ENVID={coded}" if 0 < len(coded) <= LONGEST_ENVID else ""


@lru_cache(maxsize=16)  # a mailing has one sender, unless each of its letters has its own
def _can_be_sender(address: str) -> bool:
    return address.isascii() and _PATH.fullmatch(address) is not None


def _object(message: Message, size: int, offers: Offers) -> SendError | None:
    recipient = message.recipient
    if not _PATH.fullmatch(recipient):
        return AddressRefused("The address cannot be written in SMTP.", code="5.1.3")
    if not _can_be_sender(message.sender):
        return MessageRefused("The envelope sender cannot be written in SMTP.", code="5.1.7")
    if not recipient.isascii() and not offers.smtputf8:
        return AddressRefused(
            "The address has letters outside ASCII before the @, and this server does not carry such addresses.",
            code="5.6.7",
        )
    if size > offers.size:
        return MessageRefused(f"{size} bytes, and the server takes {offers.size}.", code="5.3.4")
    if not message.parts[-1].endswith(b"\r\n") or message.parts[0][:1] in (b".", b""):
        # The composer promises wire form (mailer.message). To search every body for a line with a dot would take
        # a quarter of the time a message takes here, so the promise is kept, and tested, where literals and slots
        # are made; what would run into the next command is refused even so.
        return MessageRefused("The message is not in wire form.", code="5.6.0")
    return None
