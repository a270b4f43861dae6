"""Why a mail was not delivered, in one word, from what a server said. Tables and pure functions.

The words outrank the code, because servers put 550 and 5.7.1 on everything: `cause_of` looks for a phrase that can
mean one thing only, then at the enhanced status (RFC 3463), then for weaker words, then at the reply code.
"""

import re
import tomllib
from enum import StrEnum
from importlib.resources import files


class Verdict(StrEnum):
    """What a report says of the address. BLOCKED says nothing of it, but something of us."""

    HARD = "hard"
    SOFT = "soft"
    BLOCKED = "blocked"


class Cause(StrEnum):
    UNKNOWN_USER = "unknown user"
    UNKNOWN_HOST = "unknown host"
    NO_MAIL_HERE = "takes no mail"  # the domain says so itself: null MX, RFC 7505; 521 and 556, RFC 7504
    MOVED = "moved"
    DISABLED = "disabled"
    FULL = "mailbox full"
    FILTERED = "filtered"  # refused by what the recipient set, or for no reason that is told
    EXPIRED = "expired"
    NETWORK = "network"
    BLOCKED = "blocked"  # our host, our domain, our rate: reputation, authentication, policy
    CONTENT = "content"  # this message: spam, size, form
    SYSTEM = "system"  # the other end is broken
    SUPPRESSED = "on their list"  # the provider sends it nothing any more: it bounced or complained there before
    INFORMATION = "information"  # a delay, or good news: no failure
    UNCLEAR = "unclear"


_VERDICTS = {
    Cause.UNKNOWN_USER: Verdict.HARD,
    Cause.UNKNOWN_HOST: Verdict.HARD,
    Cause.NO_MAIL_HERE: Verdict.HARD,
    Cause.MOVED: Verdict.HARD,
    Cause.SUPPRESSED: Verdict.HARD,
    Cause.BLOCKED: Verdict.BLOCKED,
    Cause.CONTENT: Verdict.BLOCKED,
}


def verdict_of(cause: Cause) -> Verdict | None:
    """Return what a cause says of the address; None when nothing failed."""
    return None if cause is Cause.INFORMATION else _VERDICTS.get(cause, Verdict.SOFT)


# To which of our lines a server answered, as other servers tell it.
_AT_DATA = re.compile(
    r"(?:reply|response) to (?:end of )?data|after end of data|final data|did not like our data"
    r"|(?:smtp command|>>>)\W{1,4}data\b",
    re.IGNORECASE,
)
_REPLY_TO_DATA = re.compile(r"reply to end of data|after end of data", re.IGNORECASE)
_AT_RCPT = re.compile(
    r"(?:reply|response) to rcpt|\brcpt to\b|(?:smtp command|>>>|smtp:)\W{0,4}rcpt\b|does not like recipient"
    r"|rejected address|(?:recipient )?address rejected|this user doesn'?t have",
    re.IGNORECASE,
)
_ANY_CODE = re.compile(r"(?<![\d.])5\d\d(?![\d.])")


def _phrases() -> tuple[tuple[Cause, re.Pattern[str]], ...]:
    table = tomllib.loads(files(__package__).joinpath("causes.toml").read_text(encoding="utf-8"))
    return tuple(
        (Cause(each["cause"]), re.compile("|".join(each["says"]).replace("{who}", table["who"]), re.IGNORECASE))
        for each in table["phrases"]
    )


_PHRASES = _phrases()
# By the enhanced status where no phrase told. Longest first; "" ends the search in the reply code.
_BY_STATUS: tuple[tuple[str, Cause], ...] = (
    (r"5\.1\.[78]|[45]\.7\.\d+|5\.5\.[1-4]", Cause.BLOCKED),
    (r"5\.1\.[136]0?|5\.1\.1\d|5\.1\.0", Cause.UNKNOWN_USER),
    (r"5\.1\.2|5\.4\.4", Cause.UNKNOWN_HOST),
    (r"[45]\.2\.1", Cause.DISABLED),
    (r"[45]\.2\.2", Cause.FULL),
    (r"[45]\.2\.3|[45]\.3\.4|[45]\.6\.\d+", Cause.CONTENT),
    (r"[45]\.4\.7", Cause.EXPIRED),
    (r"[45]\.4\.\d+", Cause.NETWORK),
    (r"[45]\.3\.\d+", Cause.SYSTEM),
)
_BY_REPLY = {"421": Cause.BLOCKED, "450": Cause.NETWORK, "451": Cause.SYSTEM, "452": Cause.FULL, "552": Cause.FULL}
_NOBODY = {"521": Cause.NO_MAIL_HERE, "556": Cause.NO_MAIL_HERE, "551": Cause.UNKNOWN_USER}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,320}@[^\s<>\"'(),;:]{1,320}|https?://\S{1,300}")


def cause_of(status: str, reply: str, words: str, context: str = "") -> Cause:
    """Name the cause of a failure.

    status   "5.1.1", of RFC 3463; empty where none was given
    reply    "550", of RFC 5321; empty where none was given
    words    whatever the server said beside; addresses in it are not weighed
    context  what else the report says, where it tells to which of our lines the server answered
    """
    heard = _ADDRESS.sub("@", words[:2000])
    cause = _by_words(heard) or _by_code(status, reply)
    if cause in (Cause.UNKNOWN_HOST, Cause.NO_MAIL_HERE) and _passes(status, reply, heard):
        return Cause.NETWORK  # the server's own word is that it may pass
    if cause is Cause.UNKNOWN_USER and not _was_asked(status, heard, context):
        return Cause.FILTERED
    return cause


def _passes(status: str, reply: str, heard: str) -> bool:
    return (status or reply).startswith("4") and not _ANY_CODE.search(heard)


def _was_asked(status: str, heard: str, context: str) -> bool:
    """Whether "unknown user" answers the question who it is for.

    After the body it is what filters say who would not be known, and so is a bare 550 of which nobody tells when it
    came. A mailbox that is gone will say so again; one that was given up by mistake is lost.
    """
    if status.startswith(("5.1", "4.1", "5.2.1")):
        return _REPLY_TO_DATA.search(f"{heard} {context}") is None
    if status.startswith("5.7") or status == "5.2.0":
        return False
    if _AT_RCPT.search(heard) or _AT_RCPT.search(context):
        return True
    return _AT_DATA.search(f"{heard} {context}") is None and _ANY_CODE.search(heard) is None


def _by_words(heard: str) -> Cause | None:
    return next((cause for cause, phrase in _PHRASES if phrase.search(heard)), None)


def _by_code(status: str, reply: str) -> Cause:
    for pattern, cause in _BY_STATUS:
        if re.fullmatch(pattern, status):
            return cause
    return _NOBODY.get(reply) or _BY_REPLY.get(reply, Cause.UNCLEAR)
