from hypothesis import given
from hypothesis import strategies as st

from mailer.links import Claim, Links, Purpose, Tokens

TOKENS = Tokens({"a": bytes(32), "b": bytes(range(32))}, "b")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. "


@given(st.sampled_from(Purpose), st.integers(0, 2**40 - 1), st.integers(0, 2**24 - 1))
def test_a_token_says_what_it_was_made_for(purpose: Purpose, member: int, mailing: int):
    token = TOKENS.make(purpose, member, mailing)

    assert len(token) == 23
    assert TOKENS.read(token, purpose) == Claim(purpose, member, mailing)


def test_a_token_of_one_purpose_is_worth_nothing_for_another():
    assert TOKENS.read(TOKENS.make(Purpose.UNSUBSCRIBE, 7), Purpose.PREFERENCES) is None


def test_no_other_spelling_of_a_token_is_accepted():
    token = TOKENS.make(Purpose.UNSUBSCRIBE, 7, 3)

    for place, right in enumerate(token):
        for other in ALPHABET.replace(right, ""):
            assert TOKENS.read(token[:place] + other + token[place + 1 :], Purpose.UNSUBSCRIBE) is None


@given(st.text(max_size=40))
def test_anything_else_is_no_token(text: str):
    assert TOKENS.read(text, Purpose.UNSUBSCRIBE) is None


def test_a_token_of_an_older_key_is_still_read():
    older = Tokens({"a": bytes(32)}, "a").make(Purpose.UNSUBSCRIBE, 7)

    assert TOKENS.read(older, Purpose.UNSUBSCRIBE) == Claim(Purpose.UNSUBSCRIBE, 7, 0)


def test_a_link_fits_in_72_characters_with_a_host_of_thirty():
    links = Links("https://" + "h" * 30, TOKENS)

    assert len(links.unsubscribe(2**40 - 1, 2**24 - 1)) <= 72
