"""A composed mail taken apart again, for APIs that want subject and HTML as fields of their own.

What our own writer wrote is read here: the email package needs five milliseconds for a digest, this a hundredth of
that. The few letters that the package wrote (notices, what is forwarded) it reads again, and those with a calendar
entry, which is their only enclosure that does not stay behind.
"""

import binascii
import re
from base64 import b64encode
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

from mailer.message.skeleton import BOUNDARY

# What an API writes itself from the fields it is given; and our signature, which is of bytes that it does not send.
_THEIRS = frozenset(
    {
        *("from", "to", "subject", "reply-to", "date", "dkim-signature"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    }
)
CALENDAR = "text/calendar"  # what an entry is, in a part and as a file
ENTRY_NAME = "invite.ics"
REFERENCE = "utskick"  # what a provider keeps our reference to a mail under, and gives back with its events
REFERENCE_HEADER = "X-Utskick-Reference"
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([A-Za-z0-9_-]{1,64})@", re.MULTILINE | re.IGNORECASE)
_QUOTED = b"Content-Transfer-Encoding: quoted-printable"
_FOLD = re.compile(r"\r\n(?=[ \t])")
_PART = re.compile(rb"\r\n--" + re.escape(BOUNDARY) + rb"(?:--)?\r\n")


@dataclass(frozen=True, slots=True)
class Fields:
    """`headers` are the other fields of ours, in order; `html` is empty in a plain letter, `entry` in nearly all.

    entry  a file for its reader's calendar, encoded as APIs take files: base64
    """

    sender: tuple[str, str]  # name, address
    recipient: tuple[str, str]
    reply_to: tuple[str, str] | None
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    entry: str = ""


def fields_of(content: bytes) -> Fields:
    """Return what a mail of ours says; its encodings are undone, the words are the same."""
    head, _, body = content.partition(b"\r\n\r\n")
    if BOUNDARY not in head and _QUOTED not in head:
        texts, entry = _read_by_the_library(content)
    else:
        entry = ""
        parts = _PART.split(b"\r\n" + body)[1:-1] or [b"\r\n\r\n" + body]
        texts = [_text(part) for part in parts]
    # UTF-8 for To alone, where the address is (mailer.message.headers.recipient).
    lines = [line.partition(": ") for line in _FOLD.sub("", head.decode("utf-8")).split("\r\n")]
    known = {name.lower(): value for name, _, value in lines}
    return Fields(
        sender=_mailbox(known["from"]),
        recipient=_mailbox(known["to"]),
        reply_to=_mailbox(known["reply-to"]) if "reply-to" in known else None,
        subject=_decoded(known["subject"]),
        text=texts[0],
        html=texts[1] if len(texts) > 1 else "",
        headers=tuple((name, _decoded(value)) for name, _, value in lines if name.lower() not in _THEIRS),
        entry=entry,
    )


def reference_of(content: bytes) -> str:
    """Return the left half of a mail's Message-ID, by which we know it again; "" when it has none of ours."""
    found = _MESSAGE_ID.search(content, 0, content.find(b"\r\n\r\n") + 2)
    return found[1].decode() if found else ""


def _read_by_the_library(content: bytes) -> tuple[list[str], str]:
    """Return text and HTML, and the calendar entry."""
    mail = message_from_bytes(content, EmailMessage, policy=default)
    bodies = (mail.get_body((kind,)) for kind in ("plain", "html"))
    texts = [str(body.get_content()).replace("\r\n", "\n") for body in bodies if body is not None] or [""]
    entries = (part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == CALENDAR)
    entry = next((octets for octets in entries if isinstance(octets, bytes)), b"")
    return texts, b64encode(entry).decode("ascii")


def _text(part: bytes) -> str:
    return binascii.a2b_qp(part.partition(b"\r\n\r\n")[2]).decode("utf-8").replace("\r\n", "\n")


def _mailbox(value: str) -> tuple[str, str]:
    name, address = parseaddr(value)
    return _decoded(name), address


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value))) if "=?" in value else value
