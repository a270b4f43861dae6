import base64

import pytest
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


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**24 - 1))
def test_an_envelope_sender_says_whose_letter_it_is_in_any_case_of_letters(member: int, mailing: int):
    local_part = TOKENS.make_return(member, mailing)

    assert len(local_part) <= 64  # RFC 5321 section 4.5.3.1.1
    assert local_part == local_part.lower()
    for spelt in (local_part, local_part.upper(), local_part.title()):
        assert TOKENS.read_return(spelt) == Claim(Purpose.MESSAGE, member, mailing)


def test_no_other_spelling_of_an_envelope_sender_is_accepted():
    local_part = TOKENS.make_return(7, 3)

    for place, right in enumerate(local_part):
        for other in set(ALPHABET) - {right, right.upper()}:
            assert TOKENS.read_return(local_part[:place] + other + local_part[place + 1 :]) is None
    for other in (local_part[:-1], local_part + "a", "x" + local_part, local_part.replace("b-", "c-", 1)):
        assert TOKENS.read_return(other) is None


@given(st.text(max_size=40) | st.from_regex(r"b-[a-z2-7]{28}", fullmatch=True))
def test_anything_else_is_no_envelope_sender_of_ours(text: str):
    assert TOKENS.read_return(text) is None


def test_an_envelope_sender_and_a_link_are_worth_nothing_for_each_other():
    other_use = Tokens({"b": bytes(range(32))}, "b")
    block = base64.b32decode(TOKENS.make_return(7, 3)[2:].upper() + "====")[1:]

    for purpose in Purpose:
        assert other_use.read("b" + base64.urlsafe_b64encode(block)[:22].decode(), purpose) is None


def test_an_envelope_sender_of_an_older_key_is_still_read():
    older = Tokens({"a": bytes(32)}, "a").make_return(7, 3)

    assert TOKENS.read_return(older) == Claim(Purpose.MESSAGE, 7, 3)


@given(st.lists(st.integers(0, 2**40 - 1), max_size=5), st.integers(0, 2**24 - 1))
def test_many_tokens_at_once_are_those_that_each_member_gets_alone(members: list[int], mailing: int):
    alone = [TOKENS.make(Purpose.PREFERENCES, member, mailing) for member in members]

    assert TOKENS.make_all(Purpose.PREFERENCES, members, mailing) == alone


@pytest.mark.parametrize("mailbox", ["avsluta@example.org", ""])
def test_the_links_of_many_letters_are_those_of_each(mailbox: str):
    links, members = Links("https://m.example.org", TOKENS), [1, 2**40 - 1]

    found = links.of_letters(members, 9, mailbox=mailbox)

    assert found.unsubscribe == [links.unsubscribe(member, 9) for member in members]
    assert found.preferences == [links.preferences(member, 9) for member in members]
    assert found.by_mail == [links.unsubscribe_by_mail(mailbox, member, 9) for member in members]
    assert found.message_id == [links.message_id(member, 9) for member in members]
