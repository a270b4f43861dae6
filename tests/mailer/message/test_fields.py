"""A mail of ours is taken apart as the standard library does it."""

from base64 import b64decode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

from hypothesis import given
from hypothesis import strategies as st

from mailer.message.fields import fields_of
from mailer.message.headers import encoded_words
from mailer.message.invitation import Invitation
from mailer.message.skeleton import alternative, plain, with_invitation

WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), min_size=1, max_size=60
)
UNSUBSCRIBE = "<https://post.example.org/u/aBcDeFgHiJkLmNoPqRsTuVw>"


def head(subject: str, name: str) -> list[bytes]:
    return [
        b"From: " + encoded_words(name) + b" <brev@example.org>\r\n",
        b"To: <m@example.net>\r\n",
        b"Reply-To: <svar@example.org>\r\n",
        b"Subject: " + encoded_words(subject) + b"\r\n",
        b"List-Unsubscribe: " + UNSUBSCRIBE.encode() + b"\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n",
    ]


@given(subject=WORDS, name=WORDS, text=WORDS, html=WORDS)
def test_it_says_what_the_standard_library_reads(subject: str, name: str, text: str, html: str) -> None:
    content = alternative(head(subject, name), text=[text], html=[html]).compose({})

    fields = fields_of(content)

    mail = message_from_bytes(content, policy=default)
    assert fields.subject == subject
    assert fields.sender == (name, "brev@example.org")
    assert fields.recipient == ("", "m@example.net")
    assert fields.text == mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one
    assert fields.html == mail.get_body(("html",)).get_content()  # type: ignore[union-attr]  # it has one
    assert dict(fields.headers) == {"List-Unsubscribe": UNSUBSCRIBE}


@given(text=WORDS)
def test_a_plain_letter_has_no_html(text: str) -> None:
    content = plain(head("Hej", "Anna"), text=[text]).compose({})

    fields = fields_of(content)

    assert fields.html == ""
    assert fields.text == message_from_bytes(content, policy=default).get_content().replace("\r\n", "\n")


def test_what_the_library_wrote_is_read_by_it_and_enclosures_stay_behind() -> None:
    notice = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    notice["From"], notice["To"], notice["Subject"] = "brev@example.org", "anna@example.net", "Utkast klart: åäö"
    notice.set_content("Utgåvan är klar.\n", cte="base64")
    notice.add_attachment("<p>Förhandsvisning</p>", subtype="html", filename="utkast.html", cte="base64")

    fields = fields_of(bytes(notice))

    assert (fields.subject, fields.text, fields.html) == ("Utkast klart: åäö", "Utgåvan är klar.\n", "")


def test_a_calendar_entry_comes_along_as_a_file() -> None:
    text = "BEGIN:VEVENT\r\nATTENDEE:mailto:x\r\nSUMMARY:Första maj\r\nEND:VEVENT\r\n"
    letter = with_invitation(
        head("Du kommer", "P"), text=["Hej!\n"], html=["<p>Hej!</p>"], invited=Invitation("REQUEST", text)
    )

    fields = fields_of(letter.compose({"to_address": "anna@example.org"}))

    assert (fields.text, fields.html) == ("Hej!\n", "<p>Hej!</p>")
    assert b64decode(fields.entry).decode() == text.replace("mailto:x", "mailto:anna@example.org")
