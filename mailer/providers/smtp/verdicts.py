"""What a refusal means for the delivery: tables and one pure function.

Servers agree on little. The enhanced status code (RFC 3463) says most, then the words, then the basic code;
in doubt a refusal is never held against the address.
"""

import re
from datetime import timedelta
from enum import Enum

from mailer.errors import AddressRefused, MessageRefused, ProviderDown, SendError, TryLater
from mailer.message.masking import mask_addresses
from mailer.providers.smtp.replies import Reply


class Step(Enum):
    """Which of our lines a reply answers."""

    RSET = "RSET"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    BODY = "the message"
    DOT = "the lone dot"

    __hash__ = object.__hash__  # one object per member: the default hashes the name anew for each reply


Consequence = type[SendError]
NEEDS_LOGIN = 530  # RFC 4954 §6

# First match wins. X.1.7 and X.1.8 are about the sender's address, X.4.5 is what Gmail says of a spent daily quota.
_BY_STATUS: tuple[tuple[str, Consequence], ...] = (
    (r"5\.1\.[78]", ProviderDown),
    (r"5\.1\.\d+", AddressRefused),
    (r"5\.2\.3", MessageRefused),  # longer than the mailbox allows
    (r"5\.2\.\d+", AddressRefused),
    (r"5\.3\.2", ProviderDown),  # system not accepting network messages
    (r"5\.3\.\d+", MessageRefused),
    (r"5\.4\.5", ProviderDown),
    (r"5\.4\.[1467]|5\.4\.31[026]", AddressRefused),  # no route; Exchange says 5.4.1 of unknown mailboxes
    (r"5\.5\.3", TryLater),  # too many recipients passes, although it is a 5 (RFC 5321 §4.5.3.1.10)
    (r"5\.6\.7", AddressRefused),  # a non-ASCII address that the next server cannot take (RFC 6531 §3.5)
    (r"5\.7\.(8|9|11|13)", ProviderDown),  # log in first; the account is closed (RFC 4954 §6, RFC 5248)
    (r"5\.[4567]\.\d+", MessageRefused),
)
_RELAYING = re.compile(
    r"relay(ing)? (access )?(is )?(denied|not permitted|prohibited)|(unable|not allowed|not permitted) to relay"
    r"|authentication (is )?required|not authenticated|must authenticate|log ?in first",
    re.IGNORECASE,
)
# Postfix's submission port to whoever has not logged in. Exchange says the same of unknown mailboxes, under 5.4.1.
_SHUT_OUT = re.compile(r"(client host|(sender|recipient) address) rejected: access denied", re.IGNORECASE)
_QUOTA = re.compile(
    r"(sending|daily|hourly|message|account)[\w ]{0,20}(quota|limit)|account[\w ]{0,20}(suspended|disabled|paused)",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"spam|block(ed|list)|black ?list|\brbl\b|dnsbl|reputation|policy|dmarc|\bspf\b|dkim|access denied|banned|"
    r"junk|bulk mail|unsolicited|content reject",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"(user|mailbox|recipient|address|account)[\w' ]{0,24}(unknown|not found|not exist|unavailable|invalid|rejected)"
    r"|(unknown|no such|invalid) (local )?(user|mailbox|recipient|address|account)|mailbox (is )?full|over quota",
    re.IGNORECASE,
)
_COME_AGAIN = re.compile(
    r"\b(?:(?:re)?try|retrying|come back|gr[ae]y-?listed|deferred)\b[\w ,]{0,30}?\b(?:in|after|for)\s+(\d{1,6})\s*"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b",
    re.IGNORECASE,
)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}
_BY_CODE: dict[Step, dict[int, Consequence]] = {
    Step.MAIL: {552: MessageRefused},
    Step.RCPT: {
        501: AddressRefused,
        521: AddressRefused,  # that host takes no mail (RFC 7504)
        550: AddressRefused,
        551: AddressRefused,
        552: TryLater,  # "too many recipients" of old; RFC 5321 §4.5.3.1.10 wants it treated as 452
        553: AddressRefused,
        556: AddressRefused,
    },
    Step.DATA: {},
    Step.BODY: {},
}


def judge(step: Step, reply: Reply, *, recipient: str = "") -> SendError:
    """Turn a 4xx or 5xx reply into the error the outbox acts on.

    step        MAIL, RCPT, DATA or BODY
    recipient   is masked out of the detail, and from the words that are weighed
    returns     at MAIL nearly everything is about us: ProviderDown. After the body a ProviderDown is still a
                refusal of that message, so it may safely be sent again.
    """
    words = mask_addresses(reply.text, recipient)
    detail = f"{reply.code} {words}".strip()[:500]
    code = reply.enhanced or str(reply.code)
    consequence = _consequence(step, reply, words)
    return (
        TryLater(detail, code=code, retry_after=_hint(words))
        if consequence is TryLater
        else consequence(detail, code=code)
    )


def _hint(words: str) -> timedelta | None:
    """Return when a server says to come again, as greylisting ones do: "try again in 300 seconds"."""
    said = _COME_AGAIN.search(words)
    return None if said is None else int(said[1]) * _UNITS[said[2][0].lower()]


def _consequence(step: Step, reply: Reply, words: str) -> Consequence:
    if reply.code < 500:  # noqa: PLR2004  the first digit of RFC 5321 §4.2.1
        return TryLater
    if step is Step.MAIL:
        return _at_mail(reply)
    if reply.code == NEEDS_LOGIN or (step is Step.RCPT and _takes_nothing_of_ours(reply, words)):
        return ProviderDown
    if _QUOTA.search(words) and not reply.enhanced.startswith("5.2"):
        return ProviderDown
    for pattern, consequence in _BY_STATUS:
        if re.fullmatch(pattern, reply.enhanced):
            return consequence
    return _by_words(step, reply.code, words)


def _takes_nothing_of_ours(reply: Reply, words: str) -> bool:
    return bool(_RELAYING.search(words) or (reply.enhanced == "5.7.1" and _SHUT_OUT.search(words)))


def _at_mail(reply: Reply) -> Consequence:
    if reply.enhanced in ("5.3.4", "5.2.3"):
        return MessageRefused
    if reply.enhanced == "5.6.7":
        return AddressRefused
    return _BY_CODE[Step.MAIL].get(reply.code, ProviderDown) if not reply.enhanced else ProviderDown


def _by_words(step: Step, code: int, words: str) -> Consequence:
    if _BLOCKED.search(words):
        return MessageRefused
    if _UNKNOWN.search(words):
        return AddressRefused
    return _BY_CODE[step].get(code, MessageRefused)
