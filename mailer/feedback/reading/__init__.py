"""Reads what mail servers and people send back: a bounce, a complaint, an automatic reply, or none of these.

The kinds are tried in the order of what can be known for sure. 216 of 629 real bounces say
`Auto-Submitted: auto-replied` and only 341 have the part that RFC 3464 defines, so a bounce is looked for before an
automatic reply, and in plain words too. Nothing here says whose mailbox it is about: that is the signed envelope's
to say, so that a forged bounce changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from mailer.feedback.reading import auto_replies, complaints, delivery_status, transcripts
from mailer.feedback.reading.opened import Opened, open_mail
from mailer.feedback.reading.reports import Report


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    OTHER = "other"  # a person's mail, as far as we can tell: it is never touched


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail is. `reports` says what became of each recipient of a bounce, `about` what a complaint is called."""

    kind: Kind
    reports: tuple[Report, ...] = ()
    about: str = ""


def read(octets: bytes) -> Reading:
    """Say what a mail is. Bounded in size, depth and time whatever it holds; never raises."""
    return tell(open_mail(octets))


def tell(mail: Opened) -> Reading:
    """As `read`, of a mail that is open already."""
    if about := complaints.find(mail):
        return Reading(Kind.COMPLAINT, about=about)
    if reports := delivery_status.find(mail) or transcripts.find(mail):
        return Reading(Kind.BOUNCE, reports)
    if auto_replies.recognise(mail):
        return Reading(Kind.AUTO_REPLY)
    return Reading(Kind.OTHER)
