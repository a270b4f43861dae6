"""What the catcher's SMTP server does with a mail: keep it, whatever it is and whomever it is for."""

from collections.abc import Sequence
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailer.clock import Clock
from mailer.message import Message, maildir

LONGEST_MESSAGE = 25 * 1024 * 1024


class Receiver:
    """Handler for aiosmtpd: one file per recipient."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._now = clock

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: Sequence[str]
    ) -> list[str]:
        """Offer PIPELINING: aiosmtpd reads line after line from a buffer, all that it takes (RFC 2920 §3.2)."""
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        """Write the mail once for each recipient, and answer with its name."""
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 not bytes"
        try:
            names = [self._keep(Message(envelope.mail_from or "", to, content)) for to in envelope.rcpt_tos]
        except OSError as error:
            return f"452 4.3.1 {error.strerror}"
        return f"250 2.0.0 kept as {names[0]}"

    def _keep(self, message: Message) -> str:
        return maildir.deliver(maildir.prepare(self._folder, message, now=self._now()))
