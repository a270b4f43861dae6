"""A person's mail on its way to somebody who reads it."""

from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from mailer.feedback.forwarding import Forwarder, forward, is_going_round
from tests.builders import MOMENT
from tests.mailer.feedback import returned

US = Forwarder("Exempelpartiet", "brev@example.org", "kansli@example.org")


def parts(octets: bytes) -> tuple[str, bytes]:
    """Return the words and the attachment of what we sent on."""
    mail = message_from_bytes(forward(octets, US, now=MOMENT).content, policy=policy.default)
    words, attachment = mail.iter_parts()
    return words.get_content(), attachment.get_content()


def test_it_is_from_us_to_be_answered_to_its_sender_and_the_whole_of_it_beside():
    octets = returned.a_reply()
    message = forward(octets, US, now=MOMENT)
    mail = message_from_bytes(message.content, policy=policy.default)

    assert (message.sender, message.recipient) == ("brev@example.org", "kansli@example.org")
    assert (mail["From"], mail["To"]) == ("Exempelpartiet <brev@example.org>", "kansli@example.org")
    assert (mail["Reply-To"], mail["Subject"]) == ("anna@example.net", "Re: Veckobrevet")
    words, attachment = parts(octets)
    assert "Min granne har fått" in words
    assert attachment == octets
    assert is_going_round(message.content)
    assert not is_going_round(octets)


@given(st.binary(max_size=500), st.text(max_size=60), st.text(max_size=60))
def test_whatever_comes_it_goes_on_whole_and_in_wire_form(body: bytes, subject: str, sender: str):
    head = f"Subject: {subject}\r\nFrom: {sender}\r\nReply-To: {sender}\r\n\r\n".encode("utf-8", "replace")
    octets = head + b".\r\n..\r\n" + body
    content = forward(octets, US, now=MOMENT).content

    assert parts(octets)[1] == octets
    assert content.isascii()
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(line.startswith(b".") or b"\n" in line or b"\r" in line or len(line) > 998 for line in lines)
