"""Bounces in plain words, as half of all servers write them: from a machine, about a mail that did not arrive."""

import re
import tomllib
from importlib.resources import files

from selectolax.lexbor import LexborHTMLParser

from mailer.feedback.causes import Cause
from mailer.feedback.reading.delivery_status import codes
from mailer.feedback.reading.opened import Opened
from mailer.feedback.reading.reports import Report, report


def _wording(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_TABLE[name]), re.IGNORECASE | re.MULTILINE)


_TABLE = tomllib.loads(files(__package__).joinpath("transcripts.toml").read_text(encoding="utf-8"))
_MACHINE, _SUBJECT, _BODY = _wording("sender"), _wording("subject"), _wording("body")
_UNMISTAKABLE, _RETURNED = _wording("unmistakable"), _wording("returned")
_RECIPIENT = re.compile(
    r"^[ \t]*(?:to |[45]\d\d[ -])?<?[^\s<>@]{1,100}@[^\s<>@]{1,100}>?(?:[ \t(:.].*)?$", re.MULTILINE
)
_HEADING = 40  # characters that no returned mail begins before: a rule above the explanation is no end
_MOST = 20_000  # characters of explanation
_MOST_RECIPIENTS = 10


def find(mail: Opened) -> tuple[Report, ...]:
    """Return what a bounce in plain words says; none when it is no bounce.

    Two things must agree: who writes and under which subject, and what is written. So a person who writes about an
    undelivered mail is left alone.
    """
    words = _explanation(mail)
    if not words or not _is_from_a_server(mail, words):
        return ()
    reports = [_report(some, words) for some in _by_recipient(words)]
    if len(reports) == 1 and reports[0].cause is Cause.UNCLEAR:
        reports = [_report(f"{words} {mail.field('subject')}", words)]  # some put the reason there alone
    told = any(it.cause is not Cause.UNCLEAR for it in reports)
    return (
        tuple(reports)
        if told or mail.has("x-failed-recipients") or (_BODY.search(words) and _MACHINE.search(mail.field("from")))
        else ()
    )


def _is_from_a_server(mail: Opened, words: str) -> bool:
    if mail.has("x-failed-recipients"):
        return True
    null = mail.field("return-path") == "<>"
    sender = _MACHINE.search(mail.field("from")) is not None
    if (sender or null) and _SUBJECT.search(mail.field("subject")):
        return True
    return sender and null and _UNMISTAKABLE.search(words) is not None


def _explanation(mail: Opened) -> str:
    texts = [part.text for part in mail.own("text/plain")] or [_plain(part.text) for part in mail.own("text/html")]
    words = "\n".join(texts)
    returned = _RETURNED.search(words, _HEADING)
    return words[: min(returned.start(), _MOST) if returned else _MOST].strip()


def _plain(html: str) -> str:
    tree = LexborHTMLParser(html[: 8 * _MOST])
    tree.strip_tags(["style", "script", "head"])
    return tree.body.text(separator="\n", strip=True) if tree.body else ""


def _by_recipient(words: str) -> list[str]:
    """Part the text at lines that begin with an address, as most servers list their recipients."""
    starts = [found.start() for found in _RECIPIENT.finditer(words)][:_MOST_RECIPIENTS]
    if len(starts) < 2:  # noqa: PLR2004  one recipient: all of it is about them
        return [words]
    ends = [*starts[1:], len(words)]
    parts = [words[start:end] for start, end in zip(starts, ends, strict=True)]
    telling = [part for part in parts if codes(part) != ("", "")]
    return telling if len(telling) > 1 else [words]


def _report(words: str, context: str) -> Report:
    status, reply = codes(words)
    return report(status, reply, " ".join(words.split()), context=context)
