"""A mailbox on an IMAP server: looks without marking as read, and puts aside what is ours. Nothing is ever deleted.

imaplib is the standard library's; RFC 3501, with MOVE (RFC 6851) or UIDPLUS (RFC 4315) where the server has them.
"""

import imaplib
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from mailer.config.feedback import Imap
from mailer.errors import Mistake, Trouble
from mailer.feedback.reading.opened import MOST_OCTETS
from mailer.message.masking import mask_addresses

_PATIENCE = 30.0  # seconds for each answer
_WINDOW = 10_000  # numbers asked about at once: the answer stays far below what imaplib takes for a line
DONE = "$UtskickDone"  # the flag of a mail that is ours where it cannot be moved
_DELIMITER = re.compile(rb'\([^)]*\) (?:"(.)"|NIL)')
_PERSONAL = re.compile(rb'\(\("([^"]*)"')


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, cut after what is read of it. `at` is when it arrived."""

    uid: int
    octets: bytes
    at: datetime


class Mailbox:
    """One folder, selected; `validity` says for how long the numbers of its mails mean the same."""

    def __init__(self, server: imaplib.IMAP4, settings: Imap) -> None:
        self._server = server
        self._aside = self._name(settings.processed)
        self._select(settings)
        self.validity, self._next = self._said("UIDVALIDITY"), self._said("UIDNEXT")
        words = (settings.host, str(settings.port), settings.username, settings.folder)
        self.place = sha256("\n".join(words).encode()).hexdigest()

    def numbers(self, after: int) -> Iterator[Sequence[int]]:
        """Yield the numbers of the mails above `after`, some at a time, in order."""
        for low in range(after + 1, self._next, _WINDOW):
            found = self._ask("UID", "SEARCH", f"UID {low}:{min(low + _WINDOW, self._next) - 1}")
            numbers = sorted(int(each) for each in (found[0] or b"").split())
            if numbers:
                yield numbers

    def mail(self, number: int) -> Mail | None:
        """Return a mail, which stays unread; None when it is there no longer."""
        told = self._ask("UID", "FETCH", str(number), f"(INTERNALDATE BODY.PEEK[]<0.{MOST_OCTETS}>)")
        for part in told:
            if isinstance(part, tuple):
                head, octets = part
                arrived = imaplib.Internaldate2tuple(head)
                at = datetime.fromtimestamp(time.mktime(arrived), UTC) if arrived else datetime.now(UTC)
                return Mail(number, octets, at)
        return None

    def set_aside(self, numbers: Sequence[int]) -> None:
        """Move mails to the folder for what is done; where the server cannot, flag them.

        Those that are gone already are not missed: another program may do the same at the same time.
        """
        if not numbers:
            return
        with suppress(imaplib.IMAP4.error):  # it is there
            self._server.create(self._aside)
        try:
            self._move(numbers)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:  # a server may refuse the whole for one that is gone
            left = self._still_there(numbers)
            if left:
                self._move(left)

    def _still_there(self, numbers: Sequence[int]) -> list[int]:
        self._ask("NOOP")  # hear what others expunged meanwhile
        (found,) = self._ask("UID", "SEARCH", "UID", ",".join(map(str, numbers)))
        return [int(number) for number in (found or b"").split()]

    def _move(self, numbers: Sequence[int]) -> None:
        some = ",".join(map(str, numbers))
        if "MOVE" in self._server.capabilities:
            self._ask("UID", "MOVE", some, self._aside)
        elif "UIDPLUS" in self._server.capabilities:
            self._ask("UID", "COPY", some, self._aside)
            self._ask("UID", "STORE", some, "+FLAGS.SILENT", r"(\Deleted)")
            self._ask("UID", "EXPUNGE", some)  # these alone: EXPUNGE by itself takes what others marked too
        else:
            self._ask("UID", "STORE", some, "+FLAGS.SILENT", rf"(\Seen {DONE})")

    def _select(self, settings: Imap) -> None:
        try:
            self._ask("SELECT", _quoted(settings.folder))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise Mistake(
                "The mailbox on {host} has no folder {folder}: correct folder in [feedback.imap].",
                host=settings.host,
                folder=settings.folder,
            ) from None

    def _name(self, path: str) -> str:
        """Write a/b as this server does: with its delimiter, below what it calls personal."""
        delimiter = _DELIMITER.search(self._ask("LIST", '""', '""')[0] or b"")
        spaces = self._ask("NAMESPACE") if "NAMESPACE" in self._server.capabilities else [b""]
        prefix = _PERSONAL.search(spaces[0] or b"")
        between = delimiter[1].decode() if delimiter and delimiter[1] else "/"
        return _quoted((prefix[1].decode() if prefix else "") + path.replace("/", between))

    def _ask(self, command: str, *arguments: str) -> list[Any]:
        call = getattr(self._server, command.lower())
        verdict: str
        told: list[Any]
        verdict, told = call(*arguments)
        if verdict != "OK":
            raise imaplib.IMAP4.error(f"{command}: {verdict}")  # its words may quote a person
        return told

    def _said(self, what: str) -> int:
        found = self._server.response(what)[1][0]
        if not isinstance(found, bytes):
            raise imaplib.IMAP4.error(f"the server says no {what}")  # RFC 3501 §6.3.1: it must
        return int(found)


@contextmanager
def open_mailbox(settings: Imap) -> Iterator[Mailbox]:
    """Log in and select the folder.

    raises  Mistake when the server does not let us in or there is no such folder, Trouble when anything else fails
    """
    try:
        server = _connect(settings)
        try:
            _log_in(server, settings)
            yield Mailbox(server, settings)
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else mask_addresses(str(error))
        raise Trouble("The mailbox on {host} cannot be read: {reason}.", host=settings.host, reason=reason) from error


def _connect(settings: Imap) -> imaplib.IMAP4:
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    if settings.security == "tls":
        return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=_PATIENCE)
    server = imaplib.IMAP4(settings.host, settings.port, timeout=_PATIENCE)
    server.starttls(context)
    return server


def _log_in(server: imaplib.IMAP4, settings: Imap) -> None:
    try:
        server.login(settings.username, settings.password.get_secret_value())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise Mistake(
            "The mailbox on {host} does not let us in: correct username in [feedback.imap], "
            "and the password in UTSKICK_FEEDBACK__IMAP__PASSWORD.",
            host=settings.host,
        ) from None
    _, told = server.capability()  # what it can do is often said in full only to whom it knows
    server.capabilities = tuple(told[-1].decode("ascii", "replace").upper().split())


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
