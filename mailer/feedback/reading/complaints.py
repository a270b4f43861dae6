"""Complaints in the Abuse Reporting Format (RFC 5965): someone pressed "this is spam"."""

import re

from mailer.feedback.reading.opened import Opened

_TYPE = re.compile(r"^feedback-type:\s*([\w-]{1,40})", re.IGNORECASE | re.MULTILINE)
# Some providers write the same in words, without the part (RFC 6650 §5 tells receivers to expect that).
_SUBJECT = re.compile(
    r"\b(?:abuse|spam|complaint) (?:report|notification|feedback)|email feedback report", re.IGNORECASE
)
_SAYS = re.compile(
    r"this is an? (?:email )?(?:abuse|spam|feedback) (?:report|message)|reported as (?:spam|junk|abuse)", re.IGNORECASE
)
UNNAMED = "abuse"  # RFC 5965 §3.1 asks for a type; a report without one is what most reports are


def find(mail: Opened) -> str:
    """Return the Feedback-Type ("abuse", "fraud", "not-spam", ...); an empty text when it is no complaint."""
    for part in mail.own("message/feedback-report"):
        found = _TYPE.search(part.text)
        return found[1].lower() if found else UNNAMED
    if "feedback-report" in mail.field("content-type").lower():
        return UNNAMED
    text = next(mail.own("text/plain"), None)
    if text is not None and _SUBJECT.search(mail.field("subject")) and _SAYS.search(text.text[:4000]):
        return UNNAMED
    return ""
