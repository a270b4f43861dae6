import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.markup import Picture, best_picture, text_of, title_of, web_address
from mailer.news.moments import parse_moment


def test_lists_headings_and_line_breaks_become_lines_and_paragraphs():
    html = "<h3>Vi vill</h3><ul><li>mer  grönt</li><li>fler\nhem</li></ul>Slut<br>nu&nbsp;då"

    assert text_of(html) == "Vi vill\n\n• mer grönt\n• fler hem\n\nSlut\nnu\u00a0då"


def test_a_link_keeps_its_address_unless_its_words_are_the_address():
    html = '<p><a href="/a">planen</a>, <a href="https://example.org/">https://example.org/</a></p>'

    assert text_of(html, base="https://example.org") == "planen (https://example.org/a), https://example.org/"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "mailto:a@example.org", "file:///etc/passwd"]
)
def test_a_link_that_is_no_web_address_is_only_its_words(link: str):
    assert text_of(f'<a href="{link}">hej</a>') == "hej"
    assert web_address(link) is None


@pytest.mark.parametrize(
    "link", [None, "", "http://", "https://[", "https://ex ample.org/", 'https://example.org/"><b>']
)
def test_a_malformed_address_is_none(link: str | None):
    assert web_address(link) is None


@pytest.mark.parametrize(
    "link",
    [
        r"https://evil.example\@example.org/",  # a browser goes to evil.example, urllib sees example.org
        "https://example.org/\ud800",  # no database takes it
        "https://example.org/\u202egpj.exe",
        "https://example.org/\x9b31m",
    ],
)
def test_an_address_that_is_read_in_two_ways_is_none(link: str):
    assert web_address(link) is None


def test_a_link_never_carries_the_password_of_its_source():
    base = "https://me:secret@example.org/feed"

    assert web_address("/a", base) == "https://example.org/a"
    assert text_of('<a href="/a">hej</a>', base=base) == "hej (https://example.org/a)"


@pytest.mark.parametrize("pattern", ["<div>", "&", "<a><b>"])
def test_hostile_markup_costs_seconds_not_hours(pattern: str):
    begun = time.process_time()

    text_of(pattern * 1_000_000)
    title_of(pattern * 1_000_000)

    assert time.process_time() - begun < 30


def test_a_picture_inside_the_text_hides_none_of_it():
    assert text_of(f'<img src="data:image/png;base64,{"A" * 500_000}"><p>Efter bilden') == "Efter bilden"


def test_a_counting_pixel_is_no_picture():
    html = '<img src="https://example.net/p.gif" width="1" height="1"><img src="https://example.org/b.jpg" alt="Bro">'

    picture = best_picture(html)

    assert picture is not None
    assert (picture.url, picture.alt) == ("https://example.org/b.jpg", "Bro")


def test_words_for_a_picture_that_a_feed_names_come_from_the_text():
    html = '<img src="/liten.jpg" alt="Torget"><img src="/bro-300x200.jpg?v=2" alt="Den nya bron">'

    picture = best_picture(html, "https://example.org/a", named=Picture("https://example.org/stor.jpg", ""))

    assert picture is not None
    assert picture.alt == "Torget"  # not shown in the text: the one that has words is chosen
    same = best_picture(html, "https://example.org/a", named=Picture("https://example.org/bro-1024x683.jpg", ""))
    assert same == Picture("https://example.org/bro-1024x683.jpg", "Den nya bron")


def test_a_picture_that_a_feed_names_is_shown_also_when_nothing_has_words_for_it():
    named = Picture("https://example.org/bro.jpg", "")

    assert best_picture('<img src="https://example.org/annan.jpg">', named=named) == named
    assert best_picture("", named=Picture(named.url, "Bron")) == Picture(named.url, "Bron")


def test_a_title_loses_its_markup_and_entities():
    assert title_of("A &amp; <b>B</b>\n C") == "A & B C"


@given(st.text())
def test_plain_words_never_gain_markup_or_control_characters(said: str):
    assert not any(ord(character) < 32 and character not in "\n\t" for character in text_of(said))


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2024-07-01", datetime(2024, 6, 30, 22, tzinfo=UTC)),
        ("2024-02-22 10:00", datetime(2024, 2, 22, 9, tzinfo=UTC)),
        ("2024-02-22T10:00:00Z", datetime(2024, 2, 22, 10, tzinfo=UTC)),
        ("Publicerad 5 maj 2024", datetime(2024, 5, 4, 22, tzinfo=UTC)),
        ("31 februari 2024", None),
        ("0001-01-01", None),
        ("i går", None),
        (None, None),
    ],
)
def test_dates_are_read_in_iso_and_in_swedish(said: str | None, moment: datetime | None):
    assert parse_moment(said, ZoneInfo("Europe/Stockholm")) == moment
