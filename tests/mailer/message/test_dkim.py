"""Our signature, as an independent verifier sees it."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.message.dkim import OVERSIGNED, SIGNED
from mailer.render.head import Manner
from mailer.render.letters import Letter
from mailer.render.recipients import Recipient
from tests.mailer.message.wire import HOSTILE, assert_fit_for_the_wire
from tests.mailer.render.samples import NOW, a_letter, a_person, a_recipient, the_letters
from tests.signatures import a_signer, is_signed

PLAIN = b"From: Brev <brev@nyhet.example.org>\r\nSubject: Hej\r\n\r\n"
LETTERS = the_letters()


def a_mail(letter: Letter | None = None, recipient: Recipient | None = None) -> bytes:
    recipient = recipient or a_recipient()
    return LETTERS.prepare(letter or a_letter(), recipient.shape).compose(recipient)


def names_in_h(mail: bytes) -> list[bytes]:
    field = mail.partition(b";\r\n b=")[0].replace(b"\r\n ", b"")
    return field.partition(b" h=")[2].split(b":") if b" h=" in field else field.partition(b";h=")[2].split(b":")


@pytest.mark.parametrize(
    ("letter", "recipient"),
    [
        (a_letter(), a_recipient()),
        (a_letter(), a_recipient(a_person("Anna"), a_person("Bo", 2), a_person("漢字 🎉", 3))),
        (a_letter(plain_only=True), a_recipient()),
        (a_letter(manner=Manner.AUTOMATIC, feedback_id="7:weekly:digest:utskick"), a_recipient()),
        (a_letter(manner=Manner.SINGLE), a_recipient()),
    ],
    ids=["digest", "household", "plain only", "automatic", "to one"],
)
def test_every_kind_of_letter_verifies(letter: Letter, recipient: Recipient):
    mail = a_signer().sign(a_mail(letter, recipient))

    assert_fit_for_the_wire(mail)
    assert is_signed(mail)


def test_an_address_beyond_ascii_verifies():
    mail = a_signer().sign(a_mail(recipient=a_recipient(address="åsa@malmö.se")))

    assert "<åsa@xn--malm-8qa.se>".encode() in mail
    assert is_signed(mail)


@settings(max_examples=40, deadline=None)
@given(names=st.lists(HOSTILE, min_size=1, max_size=2), plain_only=st.booleans())
def test_hostile_names_do_not_break_the_signature(names: list[str], plain_only: bool):  # noqa: FBT001  # drawn by hypothesis
    recipient = a_recipient(*(a_person(name, number) for number, name in enumerate(names, 1)))

    assert is_signed(a_signer().sign(a_mail(a_letter(plain_only=plain_only), recipient)))


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n\r\n", b"Hej\r\n", b"Hej\r\n\r\n\r\n", b"Hej \t \r\n\r\n x\r\n"]
)
def test_the_end_of_a_body_does_not_matter(body: bytes):
    assert is_signed(a_signer().sign(PLAIN + body))


@pytest.mark.parametrize("head", [b"SUBJECT:  a\t\tb \r\n\t c  \r\n", b"To: a@b.se,\r\n  c@d.se\r\n", b"Cc:\r\n"])
def test_fields_in_any_form_are_read_as_the_verifier_reads_them(head: bytes):
    assert is_signed(a_signer().sign(head + b"From: brev@nyhet.example.org\r\n\r\nHej\r\n"))


def test_rewrapped_header_fields_still_verify():
    mail = a_signer().sign(a_mail())

    assert is_signed(mail.replace(b"Subject: ", b"subject:\r\n\t").replace(b"\r\n <anna@", b"  <anna@"))


@pytest.mark.parametrize("name", OVERSIGNED)
def test_no_second_field_can_be_added_that_a_reader_would_see(name: bytes):
    mail = a_signer().sign(a_mail())

    assert is_signed(mail)
    assert not is_signed(name + b": something else\r\n" + mail)
    assert not is_signed(mail.replace(b"\r\n\r\n", b"\r\n" + name + b": something else\r\n\r\n", 1))


@pytest.mark.parametrize(
    "field",
    [b"From: ", b"To: ", b"Subject: ", b"Date: ", b"List-Unsubscribe: ", b"List-Unsubscribe-Post: ", b"List-Help: "],
)
def test_a_changed_field_does_not_verify(field: bytes):
    mail = a_signer().sign(a_mail())

    assert field in mail
    assert not is_signed(mail.replace(b"\r\n" + field, b"\r\n" + field + b"x", 1))


def test_a_changed_body_does_not_verify():
    mail = a_signer().sign(a_mail())

    assert not is_signed(mail[:-10] + b"x" + mail[-9:])
    assert not is_signed(mail + b"more\r\n")


def test_the_same_letter_is_signed_with_the_same_bytes_and_its_own_time():
    mail = a_mail()

    assert a_signer().sign(mail) == a_signer().sign(mail)
    assert b" t=%d;" % NOW.timestamp() in a_signer().sign(mail)
    later = a_mail(recipient=a_recipient()._replace(date=NOW + timedelta(days=1)))
    assert b" t=%d;" % (NOW + timedelta(days=1)).timestamp() in a_signer().sign(later)


def test_a_letter_without_a_date_has_no_time_and_verifies():
    mail = a_signer().sign(PLAIN + b"Hej\r\n")

    assert b"t=" not in mail.partition(b" bh=")[0]
    assert is_signed(mail)


def test_the_domain_of_from_signs_else_the_nearest_above_it_else_nobody():
    mail = PLAIN + b"Hej\r\n"

    assert is_signed(a_signer("example.org", "nyhet.example.org").sign(mail), "nyhet.example.org")
    assert is_signed(a_signer("org.example", "example.org").sign(mail), "example.org")
    assert is_signed(
        a_signer("nyhet.example.org").sign(mail.replace(b"brev@nyhet", b"brev@Nyhet")), "nyhet.example.org"
    )
    assert a_signer("et.example.org", "annat.nyhet.example.org").sign(mail) == mail


def test_what_a_service_writes_anew_is_left_out_and_may_change():
    mail = a_signer().sign(a_mail(), frozenset({b"message-id", b"date"}))

    assert not {b"message-id", b"date"} & set(names_in_h(mail))
    assert is_signed(mail.replace(b"m17.d42@", b"0100018f@").replace(b"19 Nov 2026", b"20 Nov 2026"))


def test_each_field_that_can_stand_once_is_named_once_more_than_it_stands():
    names = names_in_h(a_signer().sign(a_mail(a_letter(feedback_id="7:weekly:digest:utskick"))))

    assert all(names.count(name) == 2 for name in (b"from", b"to", b"subject", b"list-unsubscribe", b"content-type"))
    assert names.count(b"cc") == 1
    assert {name for name in names if name in SIGNED} == {
        b"content-language",
        b"feedback-id",
        b"list-help",
        b"list-post",
    }
