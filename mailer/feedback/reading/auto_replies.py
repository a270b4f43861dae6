"""Out of office and other answers that no person wrote. They are no bounces and ask for nothing."""

import re

from mailer.feedback.reading.opened import Opened

_SUBJECT = re.compile(
    r"^\W*(?:auto(?:matic|matisk|matiskt|mated)?[- :]?(?:reply|response|answer|svar|antwort|re)\b|autosvar|frånvaro"
    r"|(?:on|annual) (?:vacation|holiday|leave)|vacation|semester|ledig\b|abwesen|away from|i am away|ej på plats"
    r"|jag är (?:på semester|inte på plats|ledig|frånvarande)|föräldraledig|réponse automatique|absen[ct]e)"
    r"|\bauto(?:matic|matiskt|matisk)?[- ]?(?:reply|svar|response)\b|out of (?:the )?office",
    re.IGNORECASE,
)
_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-vacation", "x-mail-autoreply")
_SERVER = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)


def recognise(mail: Opened) -> bool:
    """Whether a machine answered for a person (RFC 3834 §5, and what older programs write instead)."""
    if _SERVER.search(mail.field("from")):
        return False  # it speaks for no person: a bounce that could not be read
    submitted = mail.field("auto-submitted").lower()
    if submitted.startswith("auto-replied") or any(mail.has(name) for name in _FIELDS):
        return True
    if mail.field("precedence").lower() == "auto_reply" or mail.field("x-precedence").lower() == "auto_reply":
        return True
    suppressed = mail.has("x-auto-response-suppress") or submitted.startswith("auto-")
    return _SUBJECT.search(mail.field("subject")) is not None and (suppressed or not submitted)
