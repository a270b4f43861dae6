"""The letters themselves: what they say, and whether everybody can read them."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from selectolax.lexbor import LexborHTMLParser

from mailer.campaigns.content import compiled, expand, variant_of
from mailer.campaigns.written import read
from mailer.message.characters import one_line
from mailer.render.head import Manner
from mailer.render.letters import Letter, _OneByOne, _Shared
from mailer.resources import resource
from tests.mailer.campaigns.letters import EVERYTHING, OURS, AnyThere, a_written
from tests.mailer.message.wire import HOSTILE, assert_fit_for_the_wire, parsed
from tests.mailer.render.colours import words_and_contrast
from tests.mailer.render.samples import LETTERHEAD, a_person, a_recipient, the_letters

LETTERS = the_letters()
KINDS = ("letter", "call", "campaign")


def a_letter(body: str = EVERYTHING, kind: str = "letter", **changes: Any) -> Letter:
    subject = changes.pop("subject", '"Följ med"')
    version = compiled(a_written(body, subject=subject), AnyThere(), OURS)["versions"]["sv"]
    content = variant_of(version, 0, None, "https://m.distrikt.example.org/i/")
    return replace(Letter(kind, "sv", LETTERHEAD, expand({}, {}, content, "sv")), **changes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dark", [False, True])
def test_every_word_stands_out_from_its_ground(kind: str, *, dark: bool):
    manner = Manner.STATUTORY if kind == "call" else Manner.EDITORIAL
    page = LETTERS.show(a_letter(kind=kind, manner=manner), a_recipient()).html
    measured = list(words_and_contrast(page, dark=dark))

    assert len(measured) > 25
    assert [word for word, contrast in measured if contrast < 4.5] == []


@pytest.mark.parametrize("kind", KINDS)
def test_headings_come_in_order_pictures_have_words_and_links_say_where_they_lead(kind: str):
    page = LETTERS.show(a_letter(kind=kind), a_recipient()).html
    tree = LexborHTMLParser(page)

    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {picture.attributes["alt"] for picture in tree.css("img")} == {"Ett torg i sol", "Samma torg"}
    assert all(picture.attributes["src"].startswith("https://m.distrikt.example.org/i/") for picture in tree.css("img"))
    assert all(len(link.text().strip()) > 1 for link in tree.css("a"))


@pytest.mark.parametrize("kind", ["letter", "campaign"])
def test_both_forms_say_why_one_gets_it_and_how_to_object(kind: str):
    shown = LETTERS.show(a_letter(kind=kind), a_recipient())

    for form in (shown.text, shown.html):
        assert "hör till dem som det är till för" in one_line(form)
        assert "rätt att invända" in form


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_part_says_what_the_page_says(kind: str):
    text = LETTERS.show(a_letter(kind=kind), a_recipient()).text

    for words in (
        "## En rubrik",
        "Hej Anna Åström! Fet, lutad och en länk (https://example.org/a).\nEn rad till",
        "dina val (https://m.distrikt.example.org/p/1",
        "kansli@example.org",
        "- ett",
        "3. tre\n",
        "Anmäl dig:\nhttps://example.org/anmal",
        "forsta-maj\nlördag 1 maj 2027, 13:00–16:00 (tid eller plats ändrad)\nNorra Bantorget",
        "Nyhet 12\nDen byggs i år.",
        "[Ett torg i sol]",
        "”Det vill nästan alla.”",
        "– Amina",
    ):
        assert words in text
    assert "\n\n\n\n" not in text


@settings(max_examples=60, deadline=None)
@given(name=HOSTILE, words=HOSTILE, fallback=HOSTILE)
def test_hostile_names_words_and_fallbacks_come_back_whole_in_a_letter_rendered_once(
    name: str, words: str, fallback: str
):
    letter = a_letter('Hej {{ member.given_name | default("X") }}! Y')
    runs = letter.context["sections"][0]["nodes"][0]["spans"][0]["runs"]  # type: ignore[index]  # JSON
    runs[1]["fallback"], runs[2]["text"] = fallback or "vän", f"! {words} Slut"
    recipient = a_recipient(a_person(name))

    prepared = LETTERS.prepare(letter, recipient.shape)
    assert isinstance(prepared, _Shared)
    content = prepared.compose(recipient)

    assert_fit_for_the_wire(content)
    text, page = (part.get_content() for part in parsed(content).iter_parts())
    expected = one_line(f"Hej {one_line(name) or one_line(fallback or 'vän')}! {words} Slut")
    tree = LexborHTMLParser(page)
    assert expected in one_line(text)
    assert tree.body is not None
    assert expected in one_line(tree.body.text())
    assert content == LETTERS.compose_one(letter, recipient)


def test_a_name_in_the_subject_is_put_in_for_each_and_its_fallback_too():
    letter = a_letter("Hej!", subject="\"{{ member.given_name | default('Du') }}, följ med\"")
    recipient = a_recipient(a_person("Åsa"))

    assert isinstance(LETTERS.prepare(letter, recipient.shape), _OneByOne)
    assert parsed(LETTERS.prepare(letter, recipient.shape).compose(recipient))["Subject"] == "Åsa, följ med"
    nobody = a_recipient(a_person(""))
    assert parsed(LETTERS.prepare(letter, nobody.shape).compose(nobody))["Subject"] == "Du, följ med"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_letter_names_nobody_and_holds_no_link_of_anyones_own(kind: str):
    page = LETTERS.page(a_letter(kind=kind))

    assert "Hej vän!" in page
    assert "/p/" not in page
    assert "/u/" not in page


def test_what_somebody_wrote_is_no_markup():
    page = LETTERS.show(a_letter('<script>alert(1)</script> & [x](https://a.se/"><b>)'), a_recipient()).html

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page


@pytest.mark.parametrize("name", ["tack", "kallelse", "sommarvarvning"])
def test_the_examples_are_letters_in_both_languages(name: str):
    written = read([(f"{name}.md", resource(f"examples/{name}.md").read_text("utf-8"))], language="sv")
    content = compiled(written, AnyThere(), OURS)

    assert list(content["versions"]) == ["sv", "en"]
    assert content["kind"] in KINDS
    for language, version in content["versions"].items():
        context = expand({}, {}, variant_of(version, 0, None, "https://m.distrikt.example.org/i/"), language)
        assert (
            "Anna Åström" in LETTERS.show(Letter(written.front.kind, language, LETTERHEAD, context), a_recipient()).text
        )
