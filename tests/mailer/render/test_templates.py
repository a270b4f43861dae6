from pathlib import Path

import pytest

from mailer.errors import Mistake
from mailer.render.templates import Templates
from tests.mailer.render.samples import a_body, a_folder_of_letters, a_letter, a_recipient


def show(folder: Path, **files: str) -> str:
    letters = a_folder_of_letters(folder, **files)
    return letters.show(a_letter(template="test", context={"title": "<News> & more"}), a_recipient()).html


def test_a_tag_that_mjml_would_drop_in_silence_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"test/body\.mjml has a tag mj-txt"):
        show(tmp_path, body_mjml=a_body("Hello").replace("mj-text", "mj-txt"))


@pytest.mark.parametrize("tag", ["mj-font", "mj-social", "mj-include"])
def test_a_tag_that_fetches_from_elsewhere_is_a_mistake(tmp_path: Path, tag: str) -> None:
    with pytest.raises(Mistake, match=tag):
        show(tmp_path, body_mjml=a_body(f"<{tag} name='x'></{tag}>"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{% if 1 < 2 %}x{% endif %}", "write `is lt`"),
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ title.__class__.__mro__ }}", "unsafe"),
        ("{% if %}", "test/body"),
        ("{{ title|nosuch }}", "nosuch"),
        ("{% include 'nowhere.txt' %}", r"no template nowhere\.txt"),
        ("{% set x %}{{ greeting }}{% endset %}{{ x|upper }}", "keeps output back"),
        ("{% macro m() %}x{% endmacro %}", "keeps output back"),
        ("{% filter upper %}{{ greeting }}{% endfilter %}", "keeps output back"),
    ],
)
def test_a_template_that_cannot_be_used_is_a_mistake_that_says_why(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(Mistake, match=reason):
        show(tmp_path, body_mjml=a_body(body))


def test_a_letter_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"no template newyear/subject\.txt"):
        Templates(tmp_path).get("newyear/subject.txt", language="sv")


def test_what_a_template_puts_out_is_escaped_in_html_and_plain_in_text(tmp_path: Path) -> None:
    letters = a_folder_of_letters(tmp_path, body_mjml=a_body("{{ title }}"), body_txt="{{ title }}")

    shown = letters.show(a_letter(template="test", context={"title": "<News> & more"}), a_recipient())

    assert "&lt;News&gt; &amp; more" in shown.html
    assert shown.text == "<News> & more"


def test_no_letter_fetches_fonts(tmp_path: Path) -> None:
    page = show(tmp_path, body_mjml=a_body("Hello").replace("<mj-text>", "<mj-text font-family='Roboto'>"))

    assert "fonts.googleapis.com" not in page


def test_a_letter_speaks_the_language_it_is_asked_for(tmp_path: Path) -> None:
    letters = a_folder_of_letters(tmp_path, body_txt="{{ _('Unsubscribe') }}")

    assert letters.show(a_letter(template="test", language="en"), a_recipient()).text == "Unsubscribe"
    assert letters.show(a_letter(template="test", language="sv"), a_recipient()).text == "Avsluta prenumerationen"


def test_a_part_is_put_in_place_and_keeps_what_it_sets_to_itself(tmp_path: Path) -> None:
    letters = a_folder_of_letters(
        tmp_path,
        body_txt="{% set word = 'outside' %}{% for n in [1, 2] %}{% include 'test/part.txt' %}{% endfor %} {{ word }}",
        part_txt="{% set word = n %}{{ word }};",
    )

    assert letters.show(a_letter(template="test"), a_recipient()).text == "1;2; outside"


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_values_of_a_sentence_are_escaped_in_html_and_plain_in_text(tmp_path: Path, language: str) -> None:
    sentence = "{{ _('Because you follow %(name)s', name=title) }}"
    letters = a_folder_of_letters(tmp_path, body_mjml=a_body(sentence), body_txt=sentence)

    shown = letters.show(a_letter(template="test", language=language, context={"title": "A & B"}), a_recipient())

    follow = {"en": "Because you follow", "sv": "För att du följer"}[language]
    assert f"{follow} A &amp; B" in shown.html
    assert shown.text == f"{follow} A & B"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [("_('100 %%')", "100 %"), ("_('Unsubscribe')|upper", "UNSUBSCRIBE"), ("_(title)", "Unsubscribe")],
)
def test_a_sentence_that_is_not_just_put_out_is_looked_up_when_it_is_said(
    tmp_path: Path, sentence: str, said: str
) -> None:
    letters = a_folder_of_letters(tmp_path, body_txt=f"{{{{ {sentence} }}}}")

    letter = a_letter(template="test", language="en", context={"title": "Unsubscribe"})
    assert letters.show(letter, a_recipient()).text == said
