"""An event on its way into the book: what came back for one of our mails, whoever told it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.feedback.causes import Cause


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Event:
    """`key` is the teller's own name for it, or made of what it says: the same whenever it is told again.

    member, mailing  as our own token said; never as a text from outside did
    words            masked
    """

    key: str
    kind: Kind
    source: str
    member: int
    mailing: int
    at: datetime
    cause: Cause | None = None
    status: str = ""
    reply: str = ""
    words: str = ""
