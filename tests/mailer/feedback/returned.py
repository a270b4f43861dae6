"""Mails that come back, about a letter of ours or about none."""

from mailer.links import Purpose
from tests.mailer.feedback.reading import samples
from tests.mailer.outbox.posting import LINKS

TOKENS = LINKS.tokens
DOMAIN = "studs.example.org"
_NO_TOKEN = "aBcDeFgHiJkLmNoPqRsTuVw"  # what stands in the samples


def address(member: int, mailing: int) -> str:
    """The envelope sender of a letter."""
    return f"{TOKENS.make_return(member, mailing)}@{DOMAIN}"


def message_id(member: int, mailing: int) -> str:
    return f"{TOKENS.make(Purpose.MESSAGE, member, mailing)}@example.org"


def a_bounce(
    to: str = "brev@example.org",
    *,
    about: str = "",
    status: str = "5.1.1",
    says: str = "smtp; 550 5.1.1 <anna@example.net>: User unknown",
    action: str = "failed",
) -> bytes:
    """A report to `to`, which returns the letter with the Message-ID `about`."""
    return _about(samples.dsn(status, says, action=action), to, about)


def a_complaint(to: str = "fbl@example.org", *, about: str = "", kind: str = "abuse") -> bytes:
    mail = samples.COMPLAINT.format(kind=kind).replace("To: fbl@studs.example.org", f"To: {to}")
    return mail.replace("\n\nHej!", f"\nMessage-ID: <{about}>\n\nHej!" if about else "\n\nHej!").encode()


def a_reply(to: str = "brev@example.org") -> bytes:
    """A person answers, and quotes the whole letter."""
    return (
        f"From: Anna <anna@example.net>\r\nTo: {to}\r\nSubject: Re: Veckobrevet\r\n\r\n"
        "Tack! Min granne har fått 550 5.1.1 User unknown tillbaka, vad betyder det?\r\n"
        f"> Message-ID: <{message_id(1, 1)}>\r\n> hej\r\n"
    ).encode()


def an_auto_reply(to: str = "brev@example.org") -> bytes:
    return (
        f"From: Anna <anna@example.net>\r\nTo: {to}\r\nSubject: Autosvar: Veckobrevet\r\n"
        "Auto-Submitted: auto-replied\r\n\r\nJag är på semester till den 12 augusti.\r\n"
    ).encode()


def an_unsubscription(member: int, mailing: int, to: str = "avsluta@example.org") -> bytes:
    token = TOKENS.make(Purpose.UNSUBSCRIBE, member, mailing)
    return f"From: anna@example.net\r\nTo: {to}\r\nSubject: {token}\r\n\r\n\r\n".encode()


def _about(mail: str, to: str, about: str) -> bytes:
    sent_to = mail.replace("To: b-xyz@studs.example.org", f"To: {to}")
    return sent_to.replace(f"{_NO_TOKEN}@nyhet.example.org", about or f"{_NO_TOKEN}@nyhet.example.org").encode()
