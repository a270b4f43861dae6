"""A provider's request, and what it tells. Frozen values; nothing of a request is believed before it is proved."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailer.feedback.causes import Cause, Verdict, cause_of, verdict_of
from mailer.feedback.events import Kind
from mailer.feedback.reading.delivery_status import codes
from mailer.message.masking import mask_addresses

MOST_BYTES = 1 << 20
MOST_WORDS = 500  # characters kept of what a server said

Fetch = Callable[[str], bytes]  # of an address that was checked; raises Unreachable


class Refused(Exception):
    """The request changes nothing. Its text is for the log: it says what is wrong and quotes nothing."""


class Forged(Refused):
    """Its proof is missing, wrong or too old."""


class Unreadable(Refused):
    """It is proved, and is of no form that its provider describes."""


class Unreachable(Exception):
    """What proves it could not be fetched: they may ask again."""


@dataclass(frozen=True, slots=True)
class Call:
    """A POST as it came. The names of `headers` are in small letters; `body` is the very bytes that were signed."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one mail.

    token    what stands in its Message-ID, or what we gave along in its stead
    receipt  what the provider calls the mail, where it keeps nothing of ours
    name     what the provider calls the event, or what tells it from others
    kind     None: its reader left by a link of the provider's own
    words    masked
    """

    token: str
    name: str
    kind: Kind | None
    at: datetime | None = None
    receipt: str = ""
    cause: Cause | None = None
    status: str = ""
    reply: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A request that was proved. With nothing `told` and nothing `strange` it is of no interest, and not kept.

    name     the request's own: one that comes again is the same
    strange  an event that its provider had not described when this was written
    confirm  an address to open, since they ask whether we want to be told
    """

    name: str
    told: tuple[Told, ...] = ()
    strange: str = ""
    confirm: str = ""


def heard(name: str, kind: str, told: Told | None) -> Heard:
    """Return what a request with one event tells; an event of which nothing is known is strange."""
    return Heard(name, (told,)) if told else Heard(name, strange=kind)


class Hook(Protocol):
    """One provider's proof and words."""

    most_bytes: int

    def hear(self, call: Call, *, now: datetime) -> Heard:
        """Return what a request tells. raises Forged, Unreadable; Unreachable when its proof cannot be had now."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Which mail an event is about, when it happened, and what it is called there."""

    token: str
    name: str
    at: datetime | None
    receipt: str = ""


def bounced(mail: Mail, stated: Cause, words: str = "", *, status: str = "", reply: str = "") -> Told:
    """Return a bounce. `stated` is what the provider makes of it; what the server said itself is more exact.

    But a provider that calls it passing knows more than a phrase does: then the address is not given up for one.
    """
    found_status, found_reply = codes(words)
    status, reply = status or found_status, reply or found_reply
    cause = stated
    if stated not in (Cause.INFORMATION, Cause.SUPPRESSED) and (words or status):
        heard = cause_of(status, reply, words, "rcpt to")
        cause = heard if _is_better(heard, stated) else stated
    kept = mask_addresses(words[:2000])[:MOST_WORDS]
    return Told(mail.token, mail.name, Kind.BOUNCE, mail.at, mail.receipt, cause, status, reply, kept)


def _is_better(heard: Cause, stated: Cause) -> bool:
    if heard is Cause.UNCLEAR:
        return False
    return verdict_of(heard) is not Verdict.HARD or verdict_of(stated) is Verdict.HARD or stated is Cause.UNCLEAR


def complained(mail: Mail, words: str = "") -> Told:
    kept = mask_addresses(words[:2000])[:MOST_WORDS]
    return Told(mail.token, mail.name, Kind.COMPLAINT, mail.at, mail.receipt, words=kept)


def left(mail: Mail) -> Told:
    return Told(mail.token, mail.name, None, mail.at, mail.receipt)


def digest(*parts: object) -> str:
    """Return a name for what has none: the same for the same parts, and nobody can be read out of it."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()[:40]
