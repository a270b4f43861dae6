"""A mail to the unsubscribe address: read like a hostile text, and done like one click."""

from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from mailer.feedback import intake
from mailer.feedback.reading import wishes
from mailer.feedback.reading.opened import open_mail
from mailer.feedback.sorting import What, sort
from mailer.links import Claim, Purpose, Tokens
from mailer.outbox.models import Delivery, Mailing
from subscribers.models import Consent, Subscription
from tests.builders import MOMENT, a_member

TOKENS = Tokens({"a": bytes(32), "b": bytes(range(32))}, "b")
ANNA, BO, CECILIA = 1, 2, 3
LETTER = 1
ANNAS = TOKENS.make(Purpose.UNSUBSCRIBE, ANNA, LETTER)


def a_mail(**headers: str) -> bytes:
    mail = EmailMessage()
    for name, value in {"From": "who@example.net", "To": "avsluta@example.org", **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("This message was sent by a mail program.")
    return bytes(mail)


def wish(octets: bytes) -> Claim | None:
    return wishes.find(open_mail(octets), TOKENS)


def by_mail(session: Session, octets: bytes) -> bool:
    return intake.take(session, sort(octets, TOKENS), at=MOMENT, now=MOMENT) is What.UNSUBSCRIBE


@pytest.fixture(autouse=True)
def _letter(session: Session) -> None:
    session.add_all(a_member("home@example.org", id=who) for who in (ANNA, BO, CECILIA))
    session.add(Mailing(id=LETTER, key="weekly:2024-W10", publication="weekly", letter="digest", created_at=MOMENT))
    session.flush()
    for who in (ANNA, BO, CECILIA):
        household = ANNA if who != CECILIA else None
        session.add(Delivery(mailing_id=LETTER, plan=1, member_id=who, household=household, variant_id=1))
        session.add_all(Subscription(member_id=who, publication=slug, since=MOMENT) for slug in ("weekly", "events"))
    session.flush()


def gets(session: Session) -> set[tuple[int, str]]:
    rows = session.scalars(sa.select(Subscription).where(Subscription.ended_at.is_(None)))  # type: ignore[union-attr]  # SQL
    return {(row.member_id, row.publication) for row in rows}


def test_a_mail_with_the_token_leaves_that_publication_for_the_household(session: Session):
    assert by_mail(session, a_mail(Subject=ANNAS))
    assert by_mail(session, a_mail(Subject=ANNAS))  # once more changes nothing

    assert gets(session) == {(ANNA, "events"), (BO, "events"), (CECILIA, "weekly"), (CECILIA, "events")}
    assert [row.source for row in session.scalars(sa.select(Consent))] == ["mail", "mail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": f"Re: {ANNAS}"},
        {"Subject": f"unsubscribe {ANNAS}."},
        {"Subject": ANNAS, "Auto-Submitted": "auto-generated"},
        {"Subject": "unsubscribe", "To": f"avsluta+{ANNAS}@example.org"},
        {"Delivered-To": f"avsluta+{ANNAS}@example.org"},
        {"Subject": TOKENS.make(Purpose.PREFERENCES, BO, LETTER) + " " + ANNAS},
    ],
)
def test_the_token_is_found_where_mail_programs_put_it(headers: dict[str, str]):
    assert wish(a_mail(**headers)) == Claim(Purpose.UNSUBSCRIBE, ANNA, LETTER)


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "unsubscribe"},
        {"Subject": ANNAS[:-1]},
        {"Subject": ANNAS + "x"},
        {"Subject": ANNAS.swapcase()},
        {"Subject": TOKENS.make(Purpose.PREFERENCES, ANNA, LETTER)},
        {"From": f"{ANNAS}@example.net", "Subject": "Hello"},
        {"Subject": ANNAS, "Auto-Submitted": "auto-replied"},
        {"Subject": ANNAS, "Return-Path": "<>"},
        {"Subject": "x" * 600 + " " + ANNAS},
    ],
)
def test_anything_else_asks_for_nothing_and_changes_nothing(session: Session, headers: dict[str, str]):
    before = gets(session)

    assert not by_mail(session, a_mail(**headers))
    assert gets(session) == before


def test_a_bounce_that_quotes_us_asks_for_nothing():
    bounce = b"Subject: " + ANNAS.encode() + b"\r\nContent-Type: multipart/report; boundary=x\r\n\r\n--x--\r\n"

    assert wish(bounce) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(raw: bytes):
    assert wish(b"Subject: " + raw) is None
