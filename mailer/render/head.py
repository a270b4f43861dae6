"""The header fields of a letter, and which of them each manner of letter has."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import quote

from mailer.message import headers, slots
from mailer.message.slots import Slot


class Manner(Enum):
    """How a letter comes about; it decides what the letter says to machines."""

    EDITORIAL = "editorial"  # to many, written by people: a digest, a campaign
    AUTOMATIC = "automatic"  # to many, by the clock: a reminder
    SINGLE = "single"  # to one, because of something that happened: a confirmation, a notice, a proof
    STATUTORY = "statutory"  # to every member, because the statutes say so; nobody can unsubscribe from it


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: from config.toml, for one publication, district and language.

    contact    how to reach the sender, an address, a web page or words; shown in the footer
    from_name  shown as the sender; from_address, reply_to: local@domain
    unsubscribe_address  local@domain of a mailbox that is read for mails that unsubscribe; empty for none
    list_id    a domain of ours, the same for years (RFC 2919)
    """

    organisation: str
    postal_address: str
    contact: str
    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    publication_name: str
    unsubscribe_address: str = ""


def head(
    letterhead: Letterhead, *, manner: Manner, language: str, subject: str, feedback_id: str
) -> list[bytes | Slot]:
    """Write all fields but those of MIME.

    raises  Refused for a letterhead that cannot be written
    """
    before, after = _around_the_subject(letterhead, manner, language, feedback_id)
    return [*before, headers.subject(subject), *after]


@lru_cache(maxsize=64)  # the contents of a mailing have at most their subject to themselves
def _around_the_subject(
    letterhead: Letterhead, manner: Manner, language: str, feedback_id: str
) -> tuple[Sequence[bytes | Slot], Sequence[bytes | Slot]]:
    before = (
        headers.mailbox("From", letterhead.from_name, letterhead.from_address),
        headers.mailbox("Reply-To", "", letterhead.reply_to),
        *(b"To: ", Slot("to_name", slots.display_name), b"<", Slot("to_address", slots.to_address), b">\r\n"),
    )
    fields: list[bytes | Slot] = [
        *(b"Date: ", Slot("date", slots.date), b"\r\n"),
        *(b"Message-ID: <", Slot("message_id", slots.message_id), b">\r\n"),
        headers.structured("Content-Language", language),
        headers.structured("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ]
    if manner in (Manner.AUTOMATIC, Manner.SINGLE):  # RFC 3834 section 5.1: not on what a person wrote
        fields.append(headers.structured("Auto-Submitted", "auto-generated"))
    if manner in (Manner.EDITORIAL, Manner.AUTOMATIC):
        fields += _ways_out(letterhead)
    if manner is not Manner.SINGLE:
        fields += _list_fields(letterhead)
    if feedback_id:
        fields.append(headers.structured("Feedback-ID", feedback_id))
    return before, tuple(fields)


def _ways_out(letterhead: Letterhead) -> list[bytes | Slot]:
    mailto = (b",\r\n <", Slot("mailto", slots.mailto), b">") if letterhead.unsubscribe_address else ()
    return [
        *(b"List-Unsubscribe: <", Slot("one_click", slots.list_unsubscribe), b">", *mailto, b"\r\n"),
        headers.structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),  # RFC 8058 section 3.1
    ]


def _list_fields(letterhead: Letterhead) -> list[bytes | Slot]:
    reply_to = headers.addr_spec("Reply-To", letterhead.reply_to).decode("ascii")
    return [
        headers.list_id(letterhead.publication_name, letterhead.list_id),
        headers.structured("List-Help", f"<mailto:{quote(reply_to, safe='@')}>"),
        headers.structured("List-Post", "NO"),  # RFC 2369 section 3.4: nobody writes to this list
        headers.structured("Precedence", "bulk"),
    ]
