import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.message.masking import mask_addresses


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <anna.svensson@example.net>: unknown",
        "no mailbox anna.svensson@example.net here",
        'user "anna svensson"@example.net',
        "rfc822;anna.svensson@example.net",
        "see https://example.net/why?to=anna.svensson%40example.net",
        "b+anna.svensson=example.net@studs.example.org",
        "ORCPT=anna.svensson+40example.net",
        "<anna.svensson> unknown",
        'mailbox "anna.svensson" is full',
        "ANNA.SVENSSON@EXAMPLE.NET",
    ],
)
def test_no_form_of_an_address_is_left(text: str) -> None:
    masked = mask_addresses(text)

    assert "anna" not in masked.lower()
    assert "svensson" not in masked.lower()
    assert "[address]" in masked


def test_a_bare_local_part_goes_when_it_is_known() -> None:
    assert mask_addresses("User Anna.Svensson is unknown", "anna.svensson@example.net") == "User [address] is unknown"


def test_what_names_nobody_stays() -> None:
    text = "4.2.0 Greylisted, see https://postgrey.example.org/help.html (queue id 4F1A9)"

    assert mask_addresses(text, "") == text


@given(st.text(max_size=200), st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z]{1,10}\.se", fullmatch=True))
def test_an_address_in_any_surroundings_is_masked(around: str, address: str) -> None:
    assert address not in mask_addresses(f"{around} {address} {around}", address)
