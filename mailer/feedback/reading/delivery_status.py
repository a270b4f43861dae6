"""Reports in the form of RFC 3464 (and RFC 6533): a block for the message, then one for each recipient."""

import re
from collections.abc import Iterator

from mailer.feedback.reading.opened import Opened
from mailer.feedback.reading.reports import Report, report

MOST_RECIPIENTS = 100
_KINDS = ("message/delivery-status", "message/global-delivery-status")
_FIELD = re.compile(r"^([A-Za-z][\w-]{0,40}):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"(?<![\d.])([245]\d\d)(?=[ \-#:,;]|$)")
_RECIPIENT = {"final-recipient", "action"}
_WRITTEN_OUT = re.compile(
    r"^reporting-mta:.*\n(?:.*\n){0,12}?(?:final-recipient|action):", re.IGNORECASE | re.MULTILINE
)
_DONE = frozenset({"delivered", "relayed", "expanded", "delayed"})
_REMARK = re.compile(r"\((.{1,200}?)\)?$")
_TOO_SHORT = 20  # characters: no server gives a reason in fewer
_VAGUE = re.compile(r"[45]\.0\.0|5\.5\.0|4\.4\.7|")


def find(mail: Opened) -> tuple[Report, ...]:
    """Return a report per recipient of a delivery status, in its order; none when the mail has no such part."""
    for part in (*mail.own(*_KINDS), *mail.own("text/plain")):
        written = _WRITTEN_OUT.search(part.text) if part.kind == "text/plain" else None
        if part.kind == "text/plain" and written is None:
            continue  # nor is it a report that lost the header which names its parts
        blocks = [
            block for block in _blocks(part.text[written.start() if written else 0 :]) if _RECIPIENT & block.keys()
        ]
        if blocks:
            explained = _explanations(mail, [block.get("final-recipient", "") for block in blocks])
            return tuple(_report(*it) for it in zip(blocks, explained, strict=True))[:MOST_RECIPIENTS]
    return ()


def _blocks(text: str) -> Iterator[dict[str, str]]:
    for block in re.split(r"\n[ \t]*\n", text):
        fields = {name.lower(): " ".join(value.split()) for name, value in reversed(_FIELD.findall(block))}
        if fields:
            yield fields


def _report(fields: dict[str, str], explained: str) -> Report:
    """Read a block. Where its code and its diagnosis say nothing, the explanation for people is read too."""
    field = fields.get("diagnostic-code", "")
    words = field.partition(";")[2] or field
    stated = _first(_STATUS, fields.get("status", ""))
    remark = _first(_REMARK, fields.get("status", ""))  # "5.0.0 (permanent failure)"
    status, _ = codes(words)
    if not words or (_VAGUE.fullmatch(stated) and not status and len(words) < _TOO_SHORT):
        words = f"{words} {explained}".strip()
        status = codes(words)[0]
    action = fields.get("action", "failed").lower().split(" ")[0]
    failed = action not in _DONE and not stated.startswith("2")
    return report(status or stated, codes(words)[1], f"{words} {remark}".strip(), context=explained, failed=failed)


def _explanations(mail: Opened, recipients: list[str]) -> list[str]:
    """Return for each recipient what the text for people says of them: from their address on, to the next one's."""
    text = next(mail.own("text/plain", "text/html"), None)
    words = "" if text is None else " ".join(text.text[:6000].split())
    if len(recipients) == 1:
        return [words[:3000]]
    addresses = [recipient.rpartition(";")[2].strip() for recipient in recipients]
    places = [words.find(address) if address else -1 for address in addresses]
    return [
        words[place : min((other for other in places if other > place), default=place + 600)] if place >= 0 else ""
        for place in places
    ]


def codes(words: str) -> tuple[str, str]:
    """Return the enhanced status and the reply code of a server's words.

    The last status was said first-hand, where one server quotes another; a reply code stands at the beginning, or
    else it is the last one too.
    """
    statuses = [code for code in _STATUS.findall(words) if not code.startswith("2")]
    replies = [code for code in _REPLY.findall(words) if not code.startswith("2")]
    leading = re.match(r"\s*([45]\d\d)\b", words)
    return (statuses[-1] if statuses else "", leading[1] if leading else replies[-1] if replies else "")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
