"""A mail to the unsubscribe address, as mail programs send it for their reader: whose letters it wants to end."""

import re

from mailer.feedback.reading.opened import Opened
from mailer.links import Claim, Purpose, Tokens

_TOKEN = re.compile(r"(?<![\w-])[A-Za-z0-9][\w-]{22}(?![\w-])", re.ASCII)
_LOOKED_AT = 500  # characters of a header: a token stands at its beginning
_TRIED = 5


def find(mail: Opened, tokens: Tokens) -> Claim | None:
    """Return whose unsubscribing a mail asks for, None when it asks for none.

    The token stands in the subject, as List-Unsubscribe has it, or in the address after a +. Nothing else in a mail
    is believed, least of all its sender. A bounce and an answering machine quote us and wish for nothing
    (RFC 3834 §2); what a mail program made for its reader is `auto-generated` at most, and counts.
    """
    if _is_answer(mail):
        return None
    for name in ("subject", "delivered-to", "x-original-to", "to"):
        for candidate in _TOKEN.findall(mail.field(name)[:_LOOKED_AT].replace("+", " "))[:_TRIED]:
            claim = tokens.read(candidate, Purpose.UNSUBSCRIBE)
            if claim is not None:
                return claim
    return None


def _is_answer(mail: Opened) -> bool:
    return (
        mail.field("auto-submitted").lower().startswith("auto-replied")
        or mail.kind == "multipart/report"
        or mail.field("return-path") == "<>"
    )
