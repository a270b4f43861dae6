"""A short plain mail to somebody who works with the site: a notice, a link to approve by, what a person wrote to us."""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

# Not the members' hot path: the library's writer serves, base64 keeps every line short and free of leading dots.
_POLICY = SMTP.clone(cte_type="7bit")


def write_note(
    sender: tuple[str, str], to: str, *, language: str | None, subject: str, lines: Sequence[str], now: datetime
) -> EmailMessage:
    """Return the mail, which can still be given fields and enclosures.

    sender    name and address
    language  of `lines`; None: a stranger wrote them
    """
    name, address = sender
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(lines) + "\n", cte="base64")
    if language is not None:
        mail["Content-Language"] = language  # set_content takes away what there was
    return mail
