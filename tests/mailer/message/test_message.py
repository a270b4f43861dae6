"""A mail in parts."""

from mailer.message import Message


def test_a_mail_is_what_it_says_however_it_is_parted():
    parted, whole = (
        Message("b@example.org", "a@example.org", b"To: ", b"a", b"\r\n"),
        Message("b@example.org", "a@example.org", b"To: a\r\n"),
    )

    assert parted.content == b"To: a\r\n"
    assert parted.size == len(parted.content)
    assert parted == whole
    assert hash(parted) == hash(whole)
    assert whole != Message("b@example.org", "a@example.org", b"To: b\r\n")
    assert whole != Message("b@example.org", "c@example.org", b"To: a\r\n")
    assert whole != b"To: a\r\n"


def test_whatever_prints_a_mail_names_nobody():
    assert "example" not in f"{Message('b@example.org', 'a@example.org', b'To: a')!r}"
