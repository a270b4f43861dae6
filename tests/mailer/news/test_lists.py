from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.lists import parse_list
from mailer.news.parsed import BrokenList

EXAMPLE = Path(__file__).parents[3] / "examples" / "nyheter.txt"

LIST = """Nyheter

 • En ny bro – ”äntligen”

  Bron öppnar i maj.\u00a0
 • En titel som fortsätter
  på nästa rad

  Första raden
  andra raden i samma stycke, 6\u00a0meter

  Andra stycket.

 • Utan brödtext
"""


def parsed(text: str) -> list[tuple[str, str]]:
    return [(item.title, item.body) for item in parse_list(text.encode())]


def test_every_title_and_body_comes_out_whole_and_in_order():
    assert parsed(LIST) == [
        ("En ny bro – ”äntligen”", "Bron öppnar i maj.\u00a0"),
        (
            "En titel som fortsätter på nästa rad",
            "Första raden\nandra raden i samma stycke, 6\u00a0meter\n\nAndra stycket.",
        ),
        ("Utan brödtext", ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_change_nothing(encoding: str, line_end: str):
    content = LIST.replace("\n", line_end).encode(encoding)

    assert [(item.title, item.body) for item in parse_list(content)] == parsed(LIST)


@pytest.mark.parametrize("bullet", "•-*–")
def test_other_bullets_do_too(bullet: str):
    assert parsed(LIST.replace("•", bullet)) == parsed(LIST)


def test_a_list_inside_a_body_stays_in_the_body():
    text = " • Titel\n\n  Vi vill:\n   • mer\n   • bättre\n  - och nu\n • Nästa\n\n  Text.\n"

    assert parsed(text) == [("Titel", "Vi vill:\n• mer\n• bättre\n- och nu"), ("Nästa", "Text.")]


def test_the_same_title_is_the_same_item_over_imports_and_two_under_one_title_keep_apart():
    first = parse_list(LIST.encode())
    again = parse_list(LIST.replace("i maj", "i juni").encode())
    twice = parse_list(" • Lika\n\n  ett\n • Lika\n\n  två\n".encode())

    assert [item.guid for item in first] == [item.guid for item in again]
    assert first[0].fingerprint != again[0].fingerprint
    assert first[1].fingerprint == again[1].fingerprint
    assert len({item.guid for item in twice}) == 2


def test_a_text_without_a_bullet_is_a_named_error():
    with pytest.raises(BrokenList):
        parse_list(b"Nyheter\n\nhej")


def test_the_example_has_forty_items():
    items = parse_list(EXAMPLE.read_bytes())

    assert len(items) == 40
    assert all(item.title and item.body for item in items)


WORDS = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1, max_size=12)
LINES = st.lists(WORDS.map(lambda word: "a" + word), min_size=1, max_size=5).map(" ".join)


@given(
    st.lists(st.tuples(LINES, st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=3)), min_size=1, max_size=5)
)
def test_what_is_written_in_the_form_is_read_back_exactly(items: list[tuple[str, list[list[str]]]]):
    text = "Rubrik\n\n"
    for title, paragraphs in items:
        text += f" • {title}\n\n" + "\n".join("".join(f"  {line}\n" for line in lines) for lines in paragraphs)

    expected = [(title, "\n\n".join("\n".join(lines) for lines in paragraphs)) for title, paragraphs in items]

    assert parsed(text) == expected


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(content: bytes):
    with suppress(BrokenList):
        parse_list(content)
