"""The digest itself: what it says, and whether everybody can read it."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from babel.messages.extract import extract
from selectolax.lexbor import LexborHTMLParser

from mailer.i18n import translations
from mailer.render.letters import HTML_LIMIT, Letter, Shown
from mailer.resources import resource
from tests.mailer.render.colours import dark_rules, outlook_rules, words_and_contrast
from tests.mailer.render.samples import (
    a_digest,
    a_letter,
    a_person,
    a_recipient,
    a_section,
    an_item,
    the_letters,
)

LETTERS = the_letters()
IMAGE = {"url": "https://m.distrikt.example.org/i/5f.jpg", "alt": "Skolgården", "width": 1200, "height": 500}


def shown(letter: Letter | None = None, **changes: Any) -> Shown:
    return LETTERS.show(letter or a_letter(context=a_digest(**changes)), a_recipient())


@pytest.fixture(scope="module", params=["sv", "en"])
def everything(request: pytest.FixtureRequest) -> Shown:
    """Return a digest to a household with everything a digest can have."""
    context = a_digest(correction="Torgmötet är på lördag.\n\nInte på söndag.")
    context["sections"] += [a_section(an_item(15, image=IMAGE), kind="lead", name=None)]  # type: ignore[operator]  # a list
    letter = a_letter(language=request.param, context=context)
    household = a_recipient(a_person(), a_person("Bo", 2), view_online="https://m.distrikt.example.org/v/0123")
    return LETTERS.show(letter, household)


@pytest.fixture(scope="module")
def page(everything: Shown) -> LexborHTMLParser:
    return LexborHTMLParser(everything.html)


def test_the_language_stands_on_the_page_and_again_inside_its_body(page: LexborHTMLParser) -> None:
    outer, inner = page.css_first("html"), page.css_first("body [lang]")

    assert outer is not None
    assert inner is not None
    for node in (outer, inner):
        assert node.attributes["lang"] in {"sv", "en"}
        assert node.attributes["dir"] == "ltr"


def test_every_table_is_only_layout_in_outlook_too(everything: Shown) -> None:
    tables = re.findall(r"<table[^>]*>", everything.html)

    assert len(tables) > 20
    assert all('role="presentation"' in table for table in tables)


def test_headings_come_in_order_and_the_first_names_the_letter(everything: Shown) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", everything.html)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", everything.html) == ["Veckobrevet"]


def test_pictures_have_words_and_sizes_and_fit_the_column(page: LexborHTMLParser) -> None:
    (picture,) = page.css("img")

    assert picture.attributes["alt"] == "Skolgården"
    assert picture.attributes["width"] == "536"


def test_every_link_says_where_it_goes(page: LexborHTMLParser) -> None:
    texts = [link.text().strip() for link in page.css("a")]

    assert len(texts) > 15
    assert all(len(text) > 1 for text in texts)
    assert not {text.lower() for text in texts} & {"läs mer", "read more", "här", "here", "mer", "more"}


def test_every_link_is_large_enough_for_a_finger(everything: Shown, page: LexborHTMLParser) -> None:
    for kind in ("act", "title"):
        rule = re.search(
            rf"a\.{kind} {{ display: inline-block; padding: (\d+)px 0; line-height: (\d+)px;", everything.html
        )
        assert rule is not None
        assert 2 * int(rule[1]) + int(rule[2]) >= 44
    assert all(link.attributes["class"] in {"act", "title"} for link in page.css("a"))


@pytest.mark.parametrize("dark", [False, True])
def test_every_word_stands_out_from_its_ground(everything: Shown, *, dark: bool) -> None:
    measured = list(words_and_contrast(everything.html, dark=dark))

    assert len(measured) > 50
    assert [word for word, contrast in measured if contrast < 4.5] == []


def test_the_dark_colours_differ_from_the_light_ones(everything: Shown) -> None:
    light = dict(words_and_contrast(everything.html, dark=False))
    dark = dict(words_and_contrast(everything.html, dark=True))

    assert all(light[word] != dark[word] for word in light)


def test_outlook_on_the_web_gets_the_same_dark_colours(everything: Shown) -> None:
    ours = {
        (selector, colour)
        for selector, text in dark_rules(everything.html)
        for colour in re.findall("#[0-9a-f]{6}", text)
    }
    theirs = {
        (re.sub(r"^\[data-ogs[bc]\] ", "", selector), colour)
        for selector, text in outlook_rules(everything.html)
        for colour in re.findall("#[0-9a-f]{6}", text)
    }

    assert ours - theirs == {("body", "#15191d"), (".rule", "#3a434c")}  # the body is gone there; a line may stay
    assert theirs <= ours


def test_nothing_is_fetched_but_our_own_pictures(everything: Shown, page: LexborHTMLParser) -> None:
    assert [node.attributes["src"] for node in page.css("[src]")] == [IMAGE["url"]]
    assert not page.css("link, script, iframe, object, form, [background]")
    assert not re.search(r"@import|@font-face|url\(", everything.html)
    assert all(re.match(r"https://|mailto:", link.attributes["href"] or "") for link in page.css("a"))


def test_the_way_out_stands_before_the_news_and_again_at_the_end(everything: Shown) -> None:
    leave = [place.start() for place in re.finditer(r'href="https://m\.distrikt\.example\.org/u/', everything.html)]

    assert leave[0] < everything.html.index("<h1") < everything.html.rindex("<h3") < leave[-1]
    assert len(everything.html[: leave[1]].encode()) < 12_000


def test_fourteen_items_stay_far_below_what_gmail_cuts() -> None:
    paragraphs = ["Nämnden beslutade på tisdagen att skolan ska stå klar till hösten 2027. " * 12] * 2
    items = [an_item(number, url=None, paragraphs=paragraphs, image=IMAGE) for number in range(14)]

    assert len(shown(sections=[a_section(*items)]).html.encode()) < HTML_LIMIT


def test_the_preheader_adds_to_the_subject_and_stays_out_of_the_text() -> None:
    digest = shown()
    found = re.search(r'<body[^>]*><div style="display:none[^"]*">(.*?)(?:&#847;&zwnj;&nbsp;)+</div>', digest.html)

    assert found is not None
    assert 40 <= len(found[1]) <= 90
    assert not found[1].startswith(digest.subject)
    assert digest.text.count(found[1]) == 1  # as the title it is, and no more


def test_both_forms_say_the_same(everything: Shown, page: LexborHTMLParser) -> None:
    text = " ".join(everything.text.split())
    blocks = [" ".join(node.text(separator=" ").split()) for node in page.css("h1, h3 > a, p.why")]
    links = {link.attributes["href"] or "" for link in page.css("a")}

    assert len(blocks) > 25
    assert [block for block in blocks if block not in text and not block.startswith("Exempelpartiet i Bromma,")] == []
    assert [link for link in links if link.removeprefix("mailto:") not in everything.text] == []


def test_an_item_without_a_link_is_shown_whole_and_with_one_its_teaser() -> None:
    whole = shown(sections=[a_section(an_item(url=None))])
    linked = shown(sections=[a_section(an_item())])
    hostile = shown(sections=[a_section(an_item(url="javascript:alert(1)"))])

    for letter in (whole, hostile):
        assert "Skolgården blir<br>öppen" in letter.html
        assert "Skolgården blir\nöppen" in letter.text
        assert "alert" not in letter.html + letter.text
    assert "Skolgården" not in linked.html + linked.text
    assert 'href="https://nyheter.example.org/bromma/1"' in linked.html


@pytest.mark.parametrize(
    ("kind", "name", "swedish", "english"),
    [
        ("district", "Bromma", "För att du följer Bromma", "Because you follow Bromma"),
        ("parent", "Stockholm", "stadsdelen du följer ligger i Stockholm", "district you follow is part of Stockholm"),
        ("topic", "Skola", "För att du har valt ämnet Skola", "Because you chose the topic Skola"),
        ("everyone", None, "För att det gäller alla", "Because it is for everyone"),
    ],
)
def test_each_item_says_why_it_is_there(kind: str, name: str | None, swedish: str, english: str) -> None:
    context = a_digest(sections=[a_section(an_item(reason={"kind": kind, "name": name}))])

    for language, sentence in (("sv", swedish), ("en", english)):
        letter = shown(a_letter(language=language, context=context))
        assert sentence in letter.text
        assert sentence in letter.html


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({}, "Ny skola med plats för 30 barn i Mariehäll"),
        ({"subject": "Skolveckan i Bromma"}, "Skolveckan i Bromma"),
        ({"correction": "Fel dag."}, "Rättelse: Ny skola med plats för 30 barn i Mariehäll"),
        ({"sections": []}, "Veckobrevet, vecka 47, 2026"),
        ({"sections": [], "edition": "extra"}, "Veckobrevet, extra"),
    ],
)
def test_the_subject_is_the_editors_or_the_first_news(changes: dict[str, Any], subject: str) -> None:
    assert shown(**changes).subject == subject


def test_a_correction_comes_first_and_an_important_item_says_so() -> None:
    digest = shown(correction="Torgmötet är på lördag.")

    assert digest.text.startswith("Rättelse\nTorgmötet är på lördag.\n")
    assert "[Viktigt] Ny skola med plats för 30 barn" in digest.text
    assert digest.html.index("Torgmötet är på lördag.") < digest.html.index("<h1")
    assert digest.html.count("Viktigt") == 1


def test_the_footer_says_who_writes_why_and_how_to_object(everything: Shown) -> None:
    for form in (everything.text, everything.html):
        assert "Exempelgatan 1, 111 11 Stockholm" in form
        assert "kontakt@nyhet.example.org" in form
        assert re.search("rätt att invända|right to object", form)
        assert re.search("medlem i|member of", form)


def test_a_date_may_have_been_frozen_as_text() -> None:
    assert "17 november" in shown(sections=[a_section(an_item(published="2026-11-17"))]).text


def sentences() -> Iterator[tuple[str, str]]:
    """Yield every sentence the letters ask the catalogue for, of one and of many."""
    for file in resource("templates").joinpath("email").rglob("*.*"):
        with file.open("rb") as source:
            for _, message, _, _ in extract("jinja2.ext:babel_extract", source, options={"silent": "false"}):
                yield (message, message) if isinstance(message, str) else message


def test_every_sentence_of_the_letters_has_its_swedish() -> None:
    wanted, swedish = set(sentences()), translations("sv")

    assert len(wanted) >= 20
    assert {one for one, many in wanted if one == swedish.gettext(one) == swedish.ngettext(one, many, 1)} == set()


def test_news_in_another_language_than_the_letter_says_so_to_a_screen_reader() -> None:
    items = a_section(an_item(1, language="sv"))
    tree = LexborHTMLParser(shown(a_letter(language="en", context=a_digest(sections=[items]))).html)

    title = tree.css_first("a.title")
    assert title is not None
    assert title.attributes["lang"] == "sv"


def test_links_have_their_colour_and_a_gap_also_where_no_stylesheet_is_read(
    everything: Shown, page: LexborHTMLParser
) -> None:
    links = page.css("a")
    assert links
    assert all("color:" in (link.attributes.get("style") or "") for link in links)
    for_outlook = re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", everything.html, flags=re.DOTALL)
    assert not re.search(r"</a>\s*<a", for_outlook)  # Word knows no margin of a link


@pytest.mark.parametrize("form", ["html", "text"])
def test_newcomers_are_told_with_where_the_link_to_invite_by_is_which_the_archive_does_not_have(form: str) -> None:
    letter = a_letter(context=a_digest())
    sent = getattr(LETTERS.show(letter, a_recipient()), form)
    kept = getattr(LETTERS.show(letter, a_recipient(persons=())), form)

    assert "minst 15" in sent
    assert "minst 15" in kept
    assert "Din egen länk" in sent
    assert "Din egen länk" not in kept
    assert "Nya genom inbjudan" not in getattr(shown(newcomers=[]), form)
