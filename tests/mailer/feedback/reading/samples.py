"""Mails as servers and people write them, in our own words: bounces in Swedish and English, replies, ordinary mail."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailer.feedback.causes import Cause
from mailer.feedback.reading import Kind

RETURNED = """\
From: Exempelpartiet <brev@nyhet.example.org>
To: anna@example.net
Subject: Veckobrevet
Message-ID: <aBcDeFgHiJkLmNoPqRsTuVw@nyhet.example.org>

Hej Anna! User unknown, mailbox full, 550 5.1.1.
"""


@dataclass(frozen=True)
class Sample:
    name: str
    mail: str
    kind: Kind
    cause: Cause | None = None


def dsn(
    status: str, diagnosis: str, *, action: str = "failed", words: str = "Meddelandet kunde inte levereras."
) -> str:
    """Build a report in the form of RFC 3464, as Postfix writes them."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: b-xyz@studs.example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="gr4ns"

--gr4ns
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{words}

--gr4ns
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; anna@example.net
Action: {action}
Status: {status}
Diagnostic-Code: {diagnosis}

--gr4ns
Content-Type: message/rfc822

{RETURNED}
--gr4ns--
"""


def plain(sender: str, subject: str, words: str, *, more: str = "Return-Path: <>\n") -> str:
    """Build a bounce in plain words, with the mail below it."""
    return f"""\
{more}From: {sender}
To: b-xyz@studs.example.org
Subject: {subject}
Content-Type: text/plain; charset=utf-8

{words}

----- Original message -----

{RETURNED}"""


def letter(sender: str, subject: str, words: str, more: str = "") -> str:
    head = f"From: {sender}\nTo: svar@example.org\nSubject: {subject}\n{more}"
    return f"{head}Content-Type: text/plain; charset=utf-8\n\n{words}\n"


BOUNCES = (
    Sample(
        "dsn, no such user",
        dsn("5.1.1", "smtp; 550 5.1.1 <anna@example.net>: User unknown"),
        Kind.BOUNCE,
        Cause.UNKNOWN_USER,
    ),
    Sample("dsn, full", dsn("5.2.2", "smtp; 552 5.2.2 Mailbox is over quota"), Kind.BOUNCE, Cause.FULL),
    Sample("dsn, full says 5.1.1", dsn("5.1.1", "smtp; 550 5.1.1 mailbox full"), Kind.BOUNCE, Cause.FULL),
    Sample(
        "dsn, our rate", dsn("4.7.28", "smtp; 421 4.7.28 rate limit exceeded for your IP"), Kind.BOUNCE, Cause.BLOCKED
    ),
    Sample(
        "dsn, no DMARC", dsn("5.7.26", "smtp; 550 5.7.26 unauthenticated mail is refused"), Kind.BOUNCE, Cause.BLOCKED
    ),
    Sample(
        "dsn, no such host", dsn("5.4.4", "X-Postfix; Host or domain name not found"), Kind.BOUNCE, Cause.UNKNOWN_HOST
    ),
    Sample(
        "dsn, host away today", dsn("4.4.4", "X-Postfix; Host or domain name not found"), Kind.BOUNCE, Cause.NETWORK
    ),
    Sample("dsn, too old", dsn("4.4.7", "smtp; message expired in the queue"), Kind.BOUNCE, Cause.EXPIRED),
    Sample(
        "dsn, only a delay",
        dsn("4.4.1", "smtp; connection timed out", action="delayed"),
        Kind.BOUNCE,
        Cause.INFORMATION,
    ),
    Sample("dsn, arrived", dsn("2.0.0", "smtp; 250 ok", action="delivered"), Kind.BOUNCE, Cause.INFORMATION),
    Sample(
        "dsn, unknown after the body is a filter",
        dsn("5.0.0", "smtp; 550 Unknown user", words="said: 550 Unknown user (in reply to end of DATA command)"),
        Kind.BOUNCE,
        Cause.FILTERED,
    ),
    Sample(
        "svensk, mottagaren finns inte",
        plain(
            "Mail Delivery System <MAILER-DAEMON@post.example.net>",
            "Olevererbart: Veckobrevet",
            "Ditt meddelande kunde inte levereras till anna@example.net.\n\nMottagaren finns inte hos oss.",
        ),
        Kind.BOUNCE,
        Cause.UNKNOWN_USER,
    ),
    Sample(
        "svensk, kontot okänt",
        plain(
            "postmaster@example.net",
            "Det gick inte att leverera: Veckobrevet",
            "Det gick inte att leverera till:\n\nanna@example.net\nKontot kunde inte hittas. (550 5.1.1)",
        ),
        Kind.BOUNCE,
        Cause.UNKNOWN_USER,
    ),
    Sample(
        "svensk, brevlådan full",
        plain(
            "MAILER-DAEMON@example.net",
            "Misslyckad leverans",
            "Meddelandet kunde inte levereras eftersom mottagarens brevlåda är full.",
        ),
        Kind.BOUNCE,
        Cause.FULL,
    ),
    Sample(
        "svensk, domänen finns inte",
        plain(
            "E-postsystemet <mailer-daemon@example.net>",
            "Leveransfel",
            "Brevet kunde inte levereras: domänen example.invalid hittades inte.",
        ),
        Kind.BOUNCE,
        Cause.UNKNOWN_HOST,
    ),
    Sample(
        "svensk, kontot spärrat",
        plain(
            "MAILER-DAEMON@example.net",
            "Returnerad e-post: returnerat till avsändaren",
            "Kunde inte leverera till anna@example.net: kontot är spärrat tills vidare.",
        ),
        Kind.BOUNCE,
        Cause.DISABLED,
    ),
    Sample(
        "svensk, avsändaren nekad",
        plain(
            "MAILER-DAEMON@example.net",
            "Kunde inte leverera meddelandet",
            "Servern svarade: 550 5.7.1 avsändarens adress nekades (avvisad enligt SPF).",
        ),
        Kind.BOUNCE,
        Cause.BLOCKED,
    ),
    Sample(
        "exim, in words",
        plain(
            "Mail Delivery System <Mailer-Daemon@example.net>",
            "Mail delivery failed: returning message to sender",
            "A message could not be delivered.\n\n  anna@example.net\n    host mx said: 550 5.1.1 no such user\n",
            more="X-Failed-Recipients: anna@example.net\n",
        ),
        Kind.BOUNCE,
        Cause.UNKNOWN_USER,
    ),
    Sample(
        "an address that reads like a reason",
        plain(
            "MAILER-DAEMON@example.net",
            "Undeliverable mail",
            "Could not be delivered: user.unknown@mailbox-full.example: 451 4.3.0 try again",
        ),
        Kind.BOUNCE,
        Cause.SYSTEM,
    ),
)

COMPLAINT = """\
From: fbl@example.net
To: fbl@studs.example.org
Subject: FW: Veckobrevet
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="gr4ns"

--gr4ns
Content-Type: text/plain

This is an email abuse report.

--gr4ns
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Example/1.0
Version: 1

--gr4ns
Content-Type: message/rfc822

From: brev@nyhet.example.org
Subject: Veckobrevet

Hej!
--gr4ns--
"""

AUTO_REPLIES = (
    letter(
        "Anna <anna@example.net>",
        "Autosvar: Veckobrevet",
        "Jag är på semester till den 12 augusti.",
        "Auto-Submitted: auto-replied\n",
    ),
    letter(
        "Anna <anna@example.net>",
        "Automatiskt svar: Veckobrevet",
        "Jag är inte på plats.",
        "X-Auto-Response-Suppress: All\n",
    ),
    letter("Anna <anna@example.net>", "Frånvaro: Veckobrevet", "Åter på måndag."),
    letter("Anna <anna@example.net>", "Out of office: Veckobrevet", "Back on Monday.", "Precedence: auto_reply\n"),
    letter(
        "Anna <anna@example.net>",
        "Re: Veckobrevet",
        "Jag har slutat, skriv till min efterträdare.",
        "X-Autoreply: yes\n",
    ),
)

_SUBJECTS = (
    "Re: Veckobrevet",
    "SV: Första maj",
    "Fråga om förskolan i Skärholmen",
    "Tack!",
    "Mejlet kom inte fram till min mamma",
    "Delivery of flyers failed yesterday",
    "Undelivered: affischerna",
    "Min brevlåda är full av reklam",
    "Leveransen av tält",
    "Byte av adress",
)
_BODIES = (
    "Hej! Jag har flyttat till Bromma, kan ni ändra det?",
    "Mitt konto hos er finns inte, säger sidan. Vad gör jag?",
    "Min man fick inget brev. Servern svarade 550 5.1.1 User unknown, säger hans jobb. Kan ni se efter?",
    "Brevet kunde inte levereras till grannen, så jag gav det till henne i pappersform.",
    "> Meddelandet kunde inte levereras.\n\nVad betyder det här? Jag fick det i går.",
    "Vi ses på torget klockan 13.",
    "Sluta skicka, tack.",
    "The mailbox is full of leaflets, come and fetch them.",
    "Jag vill ändra mina ämnen: skola och klimat.",
    "Jag är på semester i juli och kan inte stå i tältet.",
)


def ordinary() -> Iterator[str]:
    """Yield two hundred mails that people wrote, many of them about what bounces are about."""
    for number in range(200):
        subject, words = _SUBJECTS[number % 10], _BODIES[(number // 10 + number) % 10]
        more = ("", "In-Reply-To: <a@nyhet.example.org>\n", "Precedence: list\n", "Auto-Submitted: no\n")[
            (number + number // 100) % 4
        ]
        yield letter(f"Anna Åberg <a{number}@example.net>", subject, words, more)
