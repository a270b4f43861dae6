import html
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from mailer.errors import Mistake
from mailer.message.characters import lines, one_line
from mailer.message.headers import Refused
from mailer.render.head import Manner
from mailer.render.letters import Letter, LetterTooLarge
from tests.mailer.message.wire import HOSTILE, assert_fit_for_the_wire, parsed
from tests.mailer.render.samples import (
    LETTERHEAD,
    NOW,
    a_body,
    a_digest,
    a_folder_of_letters,
    a_letter,
    a_person,
    a_recipient,
    a_section,
    an_item,
    the_letters,
)

LETTERS = the_letters()


def composed(letter: Letter, *persons: str) -> bytes:
    recipient = a_recipient(*(a_person(name, number) for number, name in enumerate(persons, 1)))
    return LETTERS.prepare(letter, recipient.shape).compose(recipient)


def parts(content: bytes) -> tuple[str, str]:
    """Return the text and the HTML of a mail."""
    text, page = parsed(content).iter_parts()
    return text.get_content(), page.get_content()


def words(page: str) -> str:
    """Return what a reader of the page reads, spaces made one."""
    tree = LexborHTMLParser(page)
    assert tree.body is not None
    return " ".join(tree.body.text(separator=" ").split())


def test_the_header_of_a_digest_says_everything_mail_programs_ask_for() -> None:
    message = parsed(composed(a_letter(feedback_id="m17:weekly:sv:utskick"), "Anna Åström"))

    assert dict(message.items()) == {
        "From": "Exempelpartiet i Bromma <veckobrev@nyhet.example.org>",
        "Reply-To": "bromma@nyhet.example.org",
        "To": "Anna Åström <anna@example.org>",
        "Subject": "Ny skola med plats för 30 barn i Mariehäll",
        "Date": "Thu, 19 Nov 2026 07:00:00 +0000",
        "Message-ID": "<m17.d42@nyhet.example.org>",
        "Content-Language": "sv",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "List-Unsubscribe": "<https://m.distrikt.example.org/u/10123456789abcdefghijklm>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "Veckobrevet <veckobrev.nyhet.example.org>",
        "List-Help": "<mailto:bromma@nyhet.example.org>",
        "List-Post": "NO",
        "Precedence": "bulk",
        "Feedback-ID": "m17:weekly:sv:utskick",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_utskick_alternative"',
    }


def test_list_unsubscribe_stands_in_the_mail_byte_for_byte() -> None:
    recipient = a_recipient(one_click="https://" + "distrikt." * 30 + "example.org/u/0123456789abcdefghijklm")

    content = LETTERS.prepare(a_letter(), recipient.shape).compose(recipient)

    assert f"\r\nList-Unsubscribe: <{recipient.one_click}>\r\n".encode() in content


@pytest.mark.parametrize(
    ("manner", "automatic", "listed", "left"),
    [
        (Manner.EDITORIAL, False, True, True),
        (Manner.AUTOMATIC, True, True, True),
        (Manner.SINGLE, True, False, False),
        (Manner.STATUTORY, False, True, False),
    ],
)
def test_a_letter_says_whether_a_machine_wrote_it_and_whether_it_is_a_list_that_one_can_leave(
    manner: Manner, *, automatic: bool, listed: bool, left: bool
) -> None:
    message = parsed(composed(a_letter(manner=manner), "Anna"))

    assert ("Auto-Submitted" in message) is automatic
    for field in ("List-Id", "Precedence"):
        assert (field in message) is listed
    for field in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        assert (field in message) is left


def test_a_statutory_letter_says_why_one_gets_it_and_offers_no_way_out() -> None:
    recipient = a_recipient(one_click="")

    content = LETTERS.prepare(a_letter(manner=Manner.STATUTORY), recipient.shape).compose(recipient)

    for readable in (parts(content)[0], words(parts(content)[1])):
        assert "enligt stadgarna ska vi skicka det till alla medlemmar" in readable
        assert "har bett om det" not in readable
    for part in parts(content):
        assert recipient.persons[0].unsubscribe not in part


def test_a_mailbox_that_unsubscribes_stands_beside_the_link_in_one_field() -> None:
    recipient = a_recipient()._replace(mailto=f"mailto:avsluta@nyhet.example.org?subject={'b' * 23}")
    letter = a_letter(letterhead=replace(LETTERHEAD, unsubscribe_address="avsluta@nyhet.example.org"))

    content = LETTERS.prepare(letter, recipient.shape).compose(recipient)

    field = f"\r\nList-Unsubscribe: <{recipient.one_click}>,\r\n <{recipient.mailto}>\r\nList-Unsubscribe-Post: "
    assert field.encode() in content


def test_a_letter_to_many_without_a_one_click_link_is_refused() -> None:
    recipient = a_recipient(one_click="")

    with pytest.raises(Refused, match="List-Unsubscribe"):
        LETTERS.prepare(a_letter(), recipient.shape).compose(recipient)


@settings(max_examples=30, deadline=None)
@given(name=HOSTILE, title=HOSTILE, paragraph=HOSTILE, subject=HOSTILE)
def test_hostile_names_and_news_come_back_whole(name: str, title: str, paragraph: str, subject: str) -> None:
    item = an_item(title=title, paragraphs=[paragraph], url=None)
    letter = a_letter(context=a_digest(sections=[a_section(item)], subject=subject))

    content = composed(letter, name)

    assert_fit_for_the_wire(content)
    text, page = parts(content)
    assert parsed(content)["Subject"] == (one_line(subject) or one_line(title) or "Veckobrevet, vecka 47, 2026")
    greeting = f"Hej {one_line(name)}!" if one_line(name) else "Hej!"
    for readable in (greeting, one_line(title)):
        assert readable in text
        assert html.escape(readable) in page or " ".join(readable.split()) in words(page)
    assert lines(paragraph) in text.replace("\r\n", "\n")
    assert " ".join(lines(paragraph).split()) in words(page)
    assert page.count("</table>") == page.count("<table")
    assert "<script" not in page


@settings(max_examples=30, deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_a_shared_skeleton_and_a_letter_of_ones_own_are_the_same_bytes(names: list[str]) -> None:
    recipient = a_recipient(*(a_person(name, number) for number, name in enumerate(names, 1)))

    shared = LETTERS.prepare(a_letter(), recipient.shape).compose(recipient)

    assert LETTERS.compose_one(a_letter(), recipient) == shared


def test_a_household_is_greeted_together_and_each_can_leave() -> None:
    text, page = parts(composed(a_letter(), "Anna", "Bo", "Cecilia"))

    for number in (1, 2, 3):
        for place in "up":
            link = f"https://m.distrikt.example.org/{place}/{number}0123456789abcdefghijklm"
            assert link in text
            assert f'href="{link}"' in page
    assert "Hej Anna, Bo och Cecilia!" in text
    assert "Hej Anna, Bo och Cecilia!" in words(page)


def test_someone_without_a_name_is_greeted_all_the_same() -> None:
    text, _ = parts(composed(a_letter(), ""))
    household, _ = parts(composed(a_letter(language="en"), "", "Bo"))

    assert "Hej!" in text
    assert "Hello Bo!" in household
    assert "Reader 1:" in household


def test_a_recipient_of_another_shape_is_not_squeezed_in() -> None:
    prepared = LETTERS.prepare(a_letter(), a_recipient().shape)

    with pytest.raises(ValueError, match="another shape"):
        prepared.compose(a_recipient(a_person(), a_person("Bo", 2)))


def test_a_date_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        LETTERS.compose_one(a_letter(), a_recipient(date=datetime(2026, 11, 19)))  # noqa: DTZ001 - the point


def test_a_letter_is_shown_as_it_is_sent() -> None:
    recipient = a_recipient(a_person("Anna <b>"))
    text, page = parts(LETTERS.compose_one(a_letter(), recipient))

    shown = LETTERS.show(a_letter(), recipient)

    assert shown.subject == "Ny skola med plats för 30 barn i Mariehäll"
    assert shown.text == text.replace("\r\n", "\n")
    assert shown.html == page.replace("\r\n", "\n")


def test_the_way_to_the_page_is_there_only_when_there_is_a_page() -> None:
    recipient = a_recipient(view_online="https://m.distrikt.example.org/v/0123")

    with_page = LETTERS.show(a_letter(), recipient)
    without = LETTERS.show(a_letter(), a_recipient())

    assert 'href="https://m.distrikt.example.org/v/0123"' in with_page.html
    assert "https://m.distrikt.example.org/v/0123" in with_page.text
    assert "Läs på webben" not in without.html + without.text


def test_a_letter_too_large_for_gmail_is_a_mistake() -> None:
    items = [an_item(paragraphs=["ord " * 2000], url=None) for _ in range(12)]

    with pytest.raises(LetterTooLarge, match="kB of HTML"):
        composed(a_letter(context=a_digest(sections=[a_section(*items)])), "Anna")


def test_a_letterhead_that_cannot_be_written_is_a_mistake_in_the_config() -> None:
    letterhead = replace(LETTERHEAD, from_name="bank@example.com")

    with pytest.raises(Mistake, match="From has an address inside its display name"):
        composed(a_letter(letterhead=letterhead), "Anna")


COMPUTING = (
    "{{ persons[0].name|upper }}",
    "{% if greeting %}x{% endif %}",
    "{{ persons[0].name[:2] }}",
    "{% if persons[0].name == 'Anna' %}x{% endif %}",
    "{{ greeting|e }}",
    "{{ greeting|length }}",
    "{{ greeting ~ '!' }}",
    "{% for letter in greeting %}{{ letter }}{% endfor %}",
    "{{ _('Hello %(name)s', name=persons[0].name) }}",
    "{{ persons|map(attribute='name')|join(' & ') }}",
    "{{ persons[0].name.split(' ')[0] }}",
    "{{ greeting or 'x' }}",
    "{{ 'x' if 'a' in greeting }}",
    "{{ greeting|replace('a', 'b') }}",
    "{{ greeting|pprint }}",
)


@pytest.mark.parametrize("body", COMPUTING)
@pytest.mark.parametrize("file", ["body_txt", "body_mjml", "subject"])
def test_a_letter_that_computes_with_a_name_is_made_for_each_reader(tmp_path: Path, file: str, body: str) -> None:
    body = f"Hello {body}"
    letters = a_folder_of_letters(tmp_path, **{file: a_body(body) if file == "body_mjml" else body})
    letter = a_letter(template="test")
    anna, zoe = a_recipient(a_person("Anna & Co")), a_recipient(a_person(".zoé <i>"))

    prepared = letters.prepare(letter, anna.shape)

    for recipient in (anna, zoe):
        assert prepared.compose(recipient) == letters.compose_one(letter, recipient)
        assert_fit_for_the_wire(prepared.compose(recipient))
    assert prepared.compose(anna) != prepared.compose(zoe)


def test_what_is_computed_from_a_name_is_right_and_escaped(tmp_path: Path) -> None:
    letters = a_folder_of_letters(tmp_path, body_mjml=a_body("<b>{{ persons[0].name|upper }}</b>"))

    recipient = a_recipient(a_person("anna & <bo>"))
    content = letters.prepare(a_letter(template="test"), recipient.shape).compose(recipient)

    assert "<b>ANNA &amp; &lt;BO&gt;</b>" in parts(content)[1]


def test_a_name_in_the_subject_reaches_the_header_and_the_title(tmp_path: Path) -> None:
    letters = a_folder_of_letters(
        tmp_path,
        subject_txt="{{ greeting }}",
        body_mjml="<mjml><mj-head><mj-title>{{ subject_line }}</mj-title></mj-head><mj-body></mj-body></mjml>",
    )
    recipient = a_recipient(a_person("Zoë"))

    content = letters.prepare(a_letter(template="test"), recipient.shape).compose(recipient)

    assert parsed(content)["Subject"] == "Hej Zoë!"
    assert "<title>Hej Zoë!</title>" in parts(content)[1]


def test_news_cannot_forge_a_readers_place(tmp_path: Path) -> None:
    letters = a_folder_of_letters(tmp_path, body_txt="{{ title }}\n")
    letter = a_letter(template="test", context={"title": "\ufdd0unsubscribe.0\ufdd1"})

    content = letters.prepare(letter, a_recipient().shape).compose(a_recipient())

    assert parts(content)[0] == "unsubscribe.0\r\n"


def test_the_same_recipient_gets_the_same_bytes_every_time() -> None:
    first, second = the_letters(), the_letters()

    assert first.compose_one(a_letter(), a_recipient(date=NOW)) == second.compose_one(a_letter(), a_recipient(date=NOW))


def test_who_wants_plain_text_gets_nothing_else() -> None:
    with_html, plain = composed(a_letter()), composed(a_letter(plain_only=True))

    assert_fit_for_the_wire(plain)
    assert parsed(plain).get_content_type() == "text/plain"
    assert parsed(plain).get_content() == parts(with_html)[0]
