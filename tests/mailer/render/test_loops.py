"""What a loop says of a Lasting thing is kept, and nobody can tell from the letters."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.lasting import Lasting
from mailer.render.letters import Letter, Letters
from mailer.render.templates import Templates
from tests.mailer.render.samples import (
    NOW,
    a_body,
    a_digest,
    a_folder_of_letters,
    a_letter,
    a_person,
    a_recipient,
    a_section,
    an_event,
    an_item,
    the_letters,
)

Make = Callable[[dict[str, Any]], dict[str, Any]]

HOSTILE = (
    "a line\n.\n.dots\n" + "x" * 200 + " \n\nåäö=\n",
    "<b>&amp; \ufdd0lines.1\ufdd1 \r\n" + "=" * 90,
    " ends in a space ",
)


def a_letter_about(make: Make, *, language: str, turned: bool) -> Letter:
    items = [make(an_item(number, title=text, teaser=text, paragraphs=[text])) for number, text in enumerate(HOSTILE)]
    linkless = make(an_item(9, url=None, paragraphs=list(HOSTILE)))
    sections = [a_section(*items, linkless), a_section(linkless, name="Järva")]
    events = [make(an_event(title=HOSTILE[0]))]
    return a_letter(
        language=language,
        context=a_digest(sections=sections[::-1] if turned else sections, events=events, intro=HOSTILE[1]),
    )


def all_forms(letters: Letters, letter: Letter) -> list[object]:
    to_one, to_two = a_recipient(), a_recipient(a_person(), a_person(".Bo", 2))
    plain = a_letter(language=letter.language, context=letter.context, plain_only=True)
    return [
        *(letters.prepare(each, to.shape).compose(to) for each in (letter, plain) for to in (to_one, to_two)),
        letters.compose_one(letter, to_one),
        letters.show(letter, to_two),
        letters.page(letter),
    ]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_digest_of_things_that_were_said_before_is_the_same_to_the_byte(language: str) -> None:
    letters, kept = the_letters(), dict[int, Lasting]()

    def lasting(thing: dict[str, Any]) -> dict[str, Any]:
        return kept.setdefault(hash(repr(thing)), Lasting(thing))

    for turned in (False, True, False):  # the second and third say again what the first said
        once = a_letter_about(lasting, language=language, turned=turned)
        anew = a_letter_about(dict, language=language, turned=turned)
        assert all_forms(letters, once) == all_forms(letters, anew)


@pytest.mark.parametrize(
    "said",
    [
        "{{ item.title }} {{ loop.index }}",
        "{{ item.title }} {{ word }}",
        "{% if word %}{% set more = word %}{% endif %}{{ item.title }} {{ more|default('') }}",
        "{{ item.title }} {{ greeting }}",
        "{% include 'test/' ~ 'said.txt' %}",
        "{% set seen.last = item.title ~ word %}{{ seen.last }}",
        "{{ _('Hello %(names)s!', names=word) }} {{ item.title }}",
        "{{ range(word|length)|list }} {{ item.title }}",
        "{% for word in item.words %}{{ word }}{% endfor %}{{ word }}",
        "{{ language }} {{ item.title }}",
    ],
)
def test_what_depends_on_more_than_the_thing_is_said_anew(tmp_path: Path, said: str) -> None:
    text = "{% set seen = namespace(last='') %}{% set language = word %}"
    text += f"{{% for item in items %}}{{{{ '\\n' }}}}{said}{{{{ '\\n' }}}}{{% endfor %}}"
    letters = a_folder_of_letters(
        tmp_path, body_txt=text, body_mjml=a_body(text), said_txt="{{ item.title }} {{ word }}"
    )
    things = [{"title": "One", "words": ["a"]}, {"title": "Two", "words": []}]
    lasting = [Lasting(thing) for thing in things]

    def shown(items: list[Any], word: str) -> object:
        return letters.show(a_letter(template="test", context={"items": items, "word": word}), a_recipient())

    for word in ("first", "second", ""):
        assert shown(lasting, word) == shown(things, word)
        assert shown(lasting[::-1], word) == shown(things[::-1], word)


def test_a_thing_is_said_once_and_forgotten_with_it(tmp_path: Path) -> None:
    a_folder_of_letters(tmp_path, body_txt="{% for item in items %}\n\n{{ item.title }}\n{% endfor %}")
    templates, things = Templates(tmp_path), [Lasting({"title": "One"}), Lasting({"title": "Two"})]

    for _ in range(3):
        templates.get("test/body.txt", language="sv").render({"items": things})
    kept = [lines.text for lines in templates.shared.values()]
    del things
    gc.collect()

    assert kept == ["One\n", "Two\n"]
    assert not templates.shared


def test_two_templates_say_each_their_own(tmp_path: Path) -> None:
    loop = "{% for item in items %}{{ '\\n' }}NUMBER {{ item.title }}{{ '\\n' }}{% endfor %}"
    letters = a_folder_of_letters(
        tmp_path,
        body_txt=loop.replace("NUMBER", "text") + loop.replace("NUMBER", "again"),
        body_mjml=a_body(loop.replace("NUMBER", "html")),
    )
    letter = a_letter(template="test", context={"items": [Lasting({"title": "<b>"})], "date": NOW.isoformat()})

    for _ in range(2):
        shown = letters.show(letter, a_recipient())
        assert "text <b>" in shown.text
        assert "again <b>" in shown.text
        assert "html &lt;b&gt;" in shown.html
