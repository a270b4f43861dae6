import re
from email import message_from_bytes, policy
from email.headerregistry import Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.message import headers
from mailer.message.characters import one_line
from mailer.message.headers import Refused
from tests.mailer.message.wire import HOSTILE

LONG_URL = "https://m.distrikt.example.org/u/" + "x" * 400


def field(raw: bytes) -> str:
    """Read one field back with the standard library's parser."""
    message = message_from_bytes(raw + b"\r\n", policy=policy.default)
    assert len(message.keys()) == 1
    return str(next(iter(message.values())))


def display_name_of(raw: bytes) -> str:
    """Read the one address of a To field; several encoded-words are joined here.

    The parser of Python 3.11 puts a space between adjacent encoded-words of a name, against RFC 2047
    section 6.2 (python/cpython issue 128110), though not between those of a subject.
    """
    (address,) = message_from_bytes(raw + b"\r\n", policy=policy.default)["To"].addresses
    assert isinstance(address, Address)
    assert address.addr_spec == "anna@example.org"
    if raw.count(b"=?utf-8?") > 1:
        words = raw.removeprefix(b"To: ").removesuffix(b"\r\n <anna@example.org>\r\n")
        return field(b"Subject: " + words + b"\r\n")
    return str(address.display_name)


def lines_of(raw: bytes) -> list[bytes]:
    assert raw.endswith(b"\r\n")
    lines = raw.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line.isascii() and b"\r" not in line and b"\n" not in line and b"\0" not in line for line in lines)
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    return lines


@given(HOSTILE.filter(one_line))
def test_any_subject_comes_back_as_one_readable_line(text: str) -> None:
    raw = headers.subject(text)

    assert field(raw) == one_line(text)
    lines = lines_of(raw)
    assert all(len(line) <= 76 for line in lines if b"=?" in line)
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S*\?=", raw))


@given(st.text(alphabet="åäö🎉漢字", min_size=60, max_size=120))
def test_an_encoded_word_never_splits_a_character(text: str) -> None:
    for line in lines_of(headers.subject(text)):
        alone = field(b"Subject: " + line.removeprefix(b"Subject: ").strip() + b"\r\n")
        assert "\ufffd" not in alone
        assert alone in text


def test_a_plain_subject_stays_plain_and_is_folded_at_spaces() -> None:
    assert headers.subject("New school in Bromma") == b"Subject: New school in Bromma\r\n"
    assert lines_of(headers.subject("word " * 40))[1].startswith(b" word ")


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Anna\r\nBcc: alla@example.org", "Anna Bcc: alla@example.org"),
        ("a\0b\x1bc\x85d\u2028e", "abc d e"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("  två   ord  ", "två ord"),
        ("hårt\xa0mellanslag", "hårt\xa0mellanslag"),
        ("\ud800half", "\ufffdhalf"),
    ],
)
def test_what_cannot_be_read_is_left_out_of_one_line(dirty: str, clean: str) -> None:
    assert one_line(dirty) == clean


@given(HOSTILE)
@example("Anna, Bo & Cecilia")
@example('"Kalle" \\ Anka')
def test_any_display_name_comes_back_and_hides_no_address(name: str) -> None:
    raw = b"To: " + headers.phrase(name) + b"<anna@example.org>\r\n"

    shown = display_name_of(raw)
    assert "@" not in shown
    if "@" not in name and "\uff20" not in name and "\ufe6b" not in name:
        assert shown == " ".join(one_line(name).split())[: headers.NAME].rstrip()
    assert all(len(line) <= 76 for line in lines_of(raw) if b"=?" in line)


def test_an_address_in_a_members_name_is_made_harmless() -> None:
    assert headers.phrase("bank@example.com") == b'"bank (at) example.com" '


def test_an_address_in_our_own_display_name_is_refused() -> None:
    with pytest.raises(Refused, match="From: has an address inside its display name"):
        headers.mailbox("From", "bank@example.com", "brev@example.org")


def test_list_unsubscribe_is_never_encoded_or_folded_inside_its_link() -> None:
    raw = headers.structured("List-Unsubscribe", f"<{LONG_URL}>, <mailto:u@example.org>")

    assert f"<{LONG_URL}>".encode() in raw
    assert b"=?" not in raw
    assert field(raw) == f"<{LONG_URL}>, <mailto:u@example.org>"


@pytest.mark.parametrize("value", ["", "a\r\nb", "a\0", "å", " a", "a ", "\u202e", "x" * 1000])
def test_a_structured_value_is_refused_rather_than_mended(value: str) -> None:
    with pytest.raises(Refused, match="X-Test"):
        headers.structured("X-Test", value)


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@", "@example.org", "a b@example.org", "a@b@example.org", "a@b.se\r\nBcc: x@y.se",
     "<anna@example.org>", "anna@-x.se", "anna@exa mple.org", "a@" + "x." * 130 + "se", '"a b"@example.org'],
)  # fmt: skip
def test_only_an_address_goes_into_an_address_field(address: str) -> None:
    with pytest.raises(Refused, match="To"):
        headers.addr_spec("To", address)


def test_a_domain_with_swedish_letters_becomes_a_labels() -> None:
    assert headers.addr_spec("To", "parti@malmö.se") == b"parti@xn--malm-8qa.se"


def test_a_local_part_with_swedish_letters_is_written_to_but_none_of_ours() -> None:
    with pytest.raises(Refused, match="before the @"):
        headers.addr_spec("From", "åsa@example.org")

    assert headers.recipient("To", "åsa@malmö.se") == "åsa@xn--malm-8qa.se".encode()


def test_a_refusal_never_repeats_the_address() -> None:
    with pytest.raises(Refused) as refusal:
        headers.addr_spec("To", "anna svensson@example.org")

    assert "anna" not in str(refusal.value)


@pytest.mark.parametrize(
    "value",
    ["", "javascript:alert(1)", "https://", "https://a.se/x y", 'https://a.se/"', "https://a.se/>", "https://å.se/",
     "https://a.se/\r\n", "ftp://a.se/", "https://a.se/" + "x" * 900],
)  # fmt: skip
def test_only_a_web_address_goes_into_a_link(value: str) -> None:
    with pytest.raises(Refused):
        headers.url("a link", value)


def test_list_id_shows_the_lists_name_and_is_never_encoded() -> None:
    assert headers.list_id("Veckobrevet", "vecka.example.org") == b"List-Id: Veckobrevet <vecka.example.org>\r\n"
    assert headers.list_id("Månadsbrevet", "manad.example.org") == b"List-Id: <manad.example.org>\r\n"


@pytest.mark.parametrize("identifier", ["vecka", "", "a b.se", "x." * 130 + "se", "a.se>\r\n"])
def test_a_list_id_is_a_domain_of_ours(identifier: str) -> None:
    with pytest.raises(Refused, match="List-Id"):
        headers.list_id("Veckobrevet", identifier)


@pytest.mark.parametrize("value", ["", "a", "<a@b>", "a b@c", "a@b\r\n", "å@b.se", "a@" + "b" * 250])
def test_a_message_id_is_unique_at_domain(value: str) -> None:
    with pytest.raises(Refused, match="Message-ID"):
        headers.message_id("Message-ID", value)
