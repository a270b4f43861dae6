"""The letters about events: what they say, and whether everybody can read it."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from itertools import pairwise

import pytest
from selectolax.lexbor import LexborHTMLParser

from mailer.events.details import Details
from mailer.events.frozen import frozen, thawed
from mailer.events.written import read_file
from mailer.reminders.choose import Reason
from mailer.reminders.contents import expand, variant_content
from mailer.render.head import Manner
from mailer.render.letters import Letter, Shown
from mailer.resources import resource
from tests.mailer.render.colours import words_and_contrast
from tests.mailer.render.samples import LETTERHEAD, a_person, a_recipient, the_letters

LETTERS = the_letters()
FOLDERS = ("invitation", "reminder", "details", "thanks", "changed", "cancelled")
URL = "https://m.distrikt.example.org"
HOSTILE = '</p><script>alert(1)</script>{{ 7*7 }} "quoted" & ändrad'


def may_day() -> Details:
    events, _ = read_file((resource("examples") / "evenemang.toml").read_bytes(), "Europe/Stockholm")
    return events[0].details


def a_letter(folder: str, language: str = "sv", *, event: Details | None = None) -> Letter:
    now = event or may_day()
    old = replace(now, starts_at=now.starts_at - timedelta(hours=1), place="Sergels torg")
    pieces = {
        1: frozen(1, 1, now, page=f"{URL}/e/1", calendar=f"{URL}/e/1.ics", cancelled=folder == "cancelled"),
        2: frozen(1, 0, old, page=f"{URL}/e/1", calendar=f"{URL}/e/1.ics", cancelled=False),
    }
    news = folder in {"changed", "cancelled"}
    reason = Reason("told") if news else Reason("district", "bromma")
    variant = json.loads(variant_content(folder, 2 if news else None, reason, None))
    context = expand({"number": 1, "names": {"bromma": "Bromma"}}, pieces, variant, language)
    return Letter(folder, language, LETTERHEAD, context, manner=Manner.AUTOMATIC)


@pytest.fixture(scope="module", params=[(folder, language) for folder in FOLDERS for language in ("sv", "en")])
def everything(request: pytest.FixtureRequest) -> Shown:
    household = (a_person(), a_person("Bo", 2))
    linked = [person._replace(act=f"{URL}/r/{number}") for number, person in enumerate(household)]
    return LETTERS.show(a_letter(*request.param), a_recipient(*linked, view_online=f"{URL}/v/0123"))


@pytest.mark.parametrize("dark", [False, True])
def test_every_word_stands_out_from_its_ground(everything: Shown, *, dark: bool):
    measured = list(words_and_contrast(everything.html, dark=dark))

    assert len(measured) > 20
    assert [word for word, contrast in measured if contrast < 4.5] == []


def test_every_word_has_a_colour_of_its_own_in_the_dark(everything: Shown):
    light = dict(words_and_contrast(everything.html, dark=False))
    dark = dict(words_and_contrast(everything.html, dark=True))

    assert all(light[word] != dark[word] for word in light)


def test_headings_come_in_order_and_the_first_names_the_event(everything: Shown):
    levels = [int(level) for level in re.findall(r"<h([1-6])", everything.html)]

    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", everything.html) == ["Första maj i Stockholm"]


def test_both_forms_say_the_same(everything: Shown):
    page, text = LexborHTMLParser(everything.html), " ".join(everything.text.split())
    said = [" ".join(node.text(separator=" ").split()) for node in page.css("h1, h2.rule, p.why")]
    links = {link.attributes["href"] or "" for link in page.css("a")}

    assert [one for one in said if one not in text] == []
    assert [link for link in links if link.removeprefix("mailto:") not in everything.text] == []


def test_tables_are_only_layout_links_say_where_they_go_and_nothing_is_fetched(everything: Shown):
    page = LexborHTMLParser(everything.html)

    assert all('role="presentation"' in table for table in re.findall(r"<table[^>]*>", everything.html))
    assert not {link.text().strip().lower() for link in page.css("a")} & {"läs mer", "read more", "här", "here", ""}
    assert not page.css("img, link, script, iframe, form, [background]")


def test_each_of_a_household_answers_by_links_of_their_own_to_a_page():
    people = [a_person("Anna")._replace(act=f"{URL}/r/a"), a_person("Bo", 2)._replace(act=f"{URL}/r/b")]

    html = LETTERS.show(a_letter("reminder"), a_recipient(*people)).html

    assert re.findall(rf'href="{URL}/r/([^"]+)"', html) == ["a?yes", "a?maybe", "a?no", "b?yes", "b?maybe", "b?no"]


def test_a_change_says_what_was_and_what_is():
    shown = LETTERS.show(a_letter("changed"), a_recipient())

    assert shown.subject == "Ändrat: Första maj i Stockholm, lördag 1 maj"
    assert "<s" in shown.html
    assert "förut: lördag 1 maj 2027, 12:00–16:00\nnu: lördag 1 maj 2027, 13:00–16:00" in shown.text
    assert "förut: Sergels torg\nnu: Norra Bantorget" in shown.text


def test_it_says_that_a_clock_sent_it_and_how_to_leave_with_one_click():
    recipient = a_recipient(a_person()._replace(act=f"{URL}/r/a"))
    mail = message_from_bytes(LETTERS.prepare(a_letter("reminder"), recipient.shape).compose(recipient), policy=default)

    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"].startswith("<https://")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_somebody_wrote_of_an_event_is_text_and_its_links_are_links():
    names = ("title", "text", "place", "meeting_point", "access", "rain_plan", "contact")
    event = replace(may_day(), **dict.fromkeys(names, HOSTILE), url="javascript:alert(1)", map_url="data:text/html,x")

    for folder in FOLDERS:
        shown = LETTERS.show(a_letter(folder, event=event), a_recipient())
        assert "<script" not in shown.html
        assert "49" not in shown.html
        assert "javascript:" not in shown.html + shown.text
        assert "data:text" not in shown.html + shown.text


def test_on_the_web_it_is_addressed_to_nobody_and_leads_to_the_events_page():
    page = LETTERS.page(a_letter("invitation"))

    assert f'href="{URL}/e/1"' in page
    assert "/r/" not in page


def test_what_is_frozen_is_thawed_as_it_was_but_for_shifts_and_districts():
    event = may_day()

    assert thawed(frozen(1, 0, event, page="", calendar="", cancelled=False)) == replace(
        event, shifts=(), districts=frozenset()
    )


def test_the_footer_says_by_what_events_are_chosen_and_how_to_object(everything: Shown):
    for form in (everything.text, everything.html):
        assert re.search("Evenemangen väljs efter de stadsdelar|Events are chosen by the districts", form)
        assert re.search("rätt att invända|right to object", form)
