import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from subscribers.address import parse
from subscribers.errors import Refused

LOCAL = st.text(string.ascii_letters + string.digits + "._+-'!#", min_size=1, max_size=64)


@pytest.mark.parametrize(
    ("written", "wire"),
    [
        ("anna@example.org", "anna@example.org"),
        (" Anna.Berg+x@Example.ORG ", "Anna.Berg+x@example.org"),
        ("parti@malmö.se", "parti@xn--malm-8qa.se"),
        ("o'neil@example.org", "o'neil@example.org"),
    ],
)
def test_an_address_goes_on_the_wire_with_its_domain_in_ascii(written: str, wire: str):
    assert parse(written).wire == wire


@pytest.mark.parametrize("other", ["ANNA@MALMÖ.SE", "anna@malmo\N{COMBINING DIAERESIS}.se", "Anna@xn--malm-8qa.se"])
def test_every_spelling_of_an_address_is_found_under_the_same_key(other: str):
    assert parse(other).key == parse("anna@malmö.se").key


def test_an_address_is_kept_as_it_was_written():
    assert parse("Anna@Malmö.se").text == "Anna@Malmö.se"


def test_letters_beyond_ascii_before_the_at_are_kept_in_one_form():
    assert parse("Åsa@Malmö.se").wire == "Åsa@xn--malm-8qa.se"
    assert parse("A\N{COMBINING RING ABOVE}sa@malmö.se").key == parse("åsa@malmö.se").key


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("anna", "no @"),
        ("", "no @"),
        ("anna@", "domain"),
        ("anna@localhost", "domain"),
        ("anna@[127.0.0.1]", "domain"),
        ("anna@ex_ample.org", "domain"),
        ("@example.org", "before the @"),
        ("a..b@example.org", "before the @"),
        ('"anna"@example.org', "before the @"),
        ("a b@example.org", "space"),
        ("anna@example.org\r\nBcc: bo@example.org", "space"),
        ("anna\0@example.org", "invisible"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}anna@example.org", "invisible"),
        ("x" * 65 + "@example.org", "longer"),
        ("Anna <anna@example.org>", "space"),
    ],
)
def test_what_mail_cannot_be_sent_to_is_refused_without_repeating_it(address: str, reason: str):
    with pytest.raises(Refused, match=reason) as refusal:
        parse(address)

    assert "example" not in str(refusal.value)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str):
    try:
        address = parse(text)
    except Refused:
        return
    assert address.wire.isascii()
    assert not any(character.isspace() for character in address.wire)
    assert parse(address.wire).lookup == address.lookup


@given(LOCAL)
def test_the_short_way_for_plain_addresses_accepts_only_what_the_long_way_does(local: str):

    try:
        expected = validate_email(f"{local}@example.org", check_deliverability=False).local_part
    except EmailNotValidError:
        with pytest.raises(Refused):
            parse(f"{local}@example.org")
    else:
        assert parse(f"{local}@example.org").wire == f"{expected}@example.org"
