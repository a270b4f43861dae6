"""What a mail is that reached an address of ours, and which of our letters it is about. Pure: nothing is done here.

Whom it is about is said by our own token alone: in the address it was sent to, else in the letter that it returns.
Whoever cannot make a token can write what they like: it is a stray, counted and never acted on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailer.feedback.causes import Verdict, verdict_of
from mailer.feedback.reading import Kind, Reading, tell, wishes
from mailer.feedback.reading.opened import MOST_OCTETS, Opened, open_mail
from mailer.feedback.reading.reports import Report
from mailer.links import Claim, Purpose, Tokens


class What(StrEnum):
    """What a mail is. NOTICE: a delay, an arrival or a good word. STRAY: a report on no letter of ours."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    NOTICE = "notice"
    AUTO_REPLY = "auto-reply"
    STRAY = "stray"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Sorted:
    """`claim`: the letter it is about. `report`: what a bounce says of the address."""

    what: What
    claim: Claim | None = None
    report: Report | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is about a letter of ours for sure; only such a mail is ever moved."""
        return self.claim is not None and self.what is not What.PERSON


# Where mail servers write the address that a mail was sent to, the surest first.
_ADDRESSED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_RETURN = re.compile(r"(?<![\w.+-])b-[a-z2-7]{28}(?=@)", re.ASCII | re.IGNORECASE)
_MESSAGE_ID = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w-]{22}(?=@)", re.ASCII)
_TRIED = 100  # of what looks like a token in one text
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "virus", "dmarc"})  # RFC 5965 §7.3, RFC 6591
# A letter has one recipient. Where a report tells several fates, an address of theirs led to some, and it lives.
_HARM = {None: 0, Verdict.BLOCKED: 1, Verdict.SOFT: 2, Verdict.HARD: 3}


def sort(octets: bytes, tokens: Tokens) -> Sorted:
    """Say what a mail is. Bounded in size and time whatever it holds; never raises."""
    mail = open_mail(octets)
    wish = wishes.find(mail, tokens)
    if wish is not None:
        return Sorted(What.UNSUBSCRIBE, wish)
    reading = tell(mail)
    match reading.kind:
        case Kind.BOUNCE:
            return _bounce(reading, _claim(mail, octets, tokens))
        case Kind.COMPLAINT:
            return _complaint(reading, _claim(mail, octets, tokens))
        case Kind.AUTO_REPLY:
            return Sorted(What.AUTO_REPLY, _addressed(mail, tokens))
    return Sorted(What.PERSON)


def _bounce(reading: Reading, claim: Claim | None) -> Sorted:
    if claim is None:
        return Sorted(What.STRAY)
    report = min(reading.reports, key=lambda each: _HARM[verdict_of(each.cause)])
    what = What.NOTICE if verdict_of(report.cause) is None else What.BOUNCE
    return Sorted(what, claim, report)


def _complaint(reading: Reading, claim: Claim | None) -> Sorted:
    if claim is None:
        return Sorted(What.STRAY)
    return Sorted(What.NOTICE if reading.about in _NO_COMPLAINT else What.COMPLAINT, claim)


def _claim(mail: Opened, octets: bytes, tokens: Tokens) -> Claim | None:
    return _addressed(mail, tokens) or next(_returned(mail, octets, tokens), None)


def _addressed(mail: Opened, tokens: Tokens) -> Claim | None:
    for wanted in _ADDRESSED:
        for name, value in mail.fields:
            if name == wanted and (claim := next(_returns(value, tokens), None)):
                return claim
    return None


def _returned(mail: Opened, octets: bytes, tokens: Tokens) -> Iterator[Claim]:
    """Yield the letters that a report returns, by envelope sender or Message-ID: in the clear, or in encoded parts."""
    texts = [octets[:MOST_OCTETS].decode("latin-1"), *(part.text for part in mail.parts)]
    for text in texts:
        yield from _returns(text, tokens)
    for text in texts:
        for found in _some(_MESSAGE_ID, text):
            if claim := tokens.read(found, Purpose.MESSAGE):
                yield claim


def _returns(text: str, tokens: Tokens) -> Iterator[Claim]:
    for found in _some(_RETURN, text):
        if claim := tokens.read_return(found):
            yield claim


def _some(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for _, found in zip(range(_TRIED), pattern.finditer(text), strict=False):
        yield found[0]
