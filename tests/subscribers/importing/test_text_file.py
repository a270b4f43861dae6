import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.importing.text_file import decode, lines

NAMES = "Åsa Öberg – «Ärlig»"
CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffd"), max_size=20)


def cells(data: bytes) -> list[tuple[str, ...]]:
    return [line.cells for line in lines(data)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encodings_that_spreadsheets_save_are_recognised(encoding: str):
    assert cells(f"namn;e-post\n{NAMES};a@b.se\n".encode(encoding)) == [("namn", "e-post"), (NAMES, "a@b.se")]


def test_one_damaged_byte_does_not_turn_the_whole_file_into_another_encoding():
    text = decode("Åsa\nÖrjan\nK".encode() + b"\xe5" + b"re\n")

    assert text == "Åsa\nÖrjan\nK\N{REPLACEMENT CHARACTER}re\n"


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_recognised(separator: str):
    rows = [("nr", "namn", "ort"), ("1", 'Anna "Kula" Berg', "Ö; b, c|d\te")]
    written = io.StringIO()
    csv.writer(written, delimiter=separator).writerows(rows)

    assert cells(written.getvalue().encode()) == rows


def test_excels_own_word_on_the_separator_is_believed():
    assert cells(b"sep=,\r\na;b,c\r\n") == [("a;b", "c")]


def test_lines_are_counted_as_an_editor_does_and_empty_ones_are_left_out():
    found = list(lines(b"a;b\r\n\r\n;\r\n1;2\r\n"))

    assert [(line.number, line.cells) for line in found] == [(1, ("a", "b")), (4, ("1", "2"))]


def test_a_cell_may_hold_a_line_break():
    found = list(lines(b'a;b\n1;"x\ny"\n2;z\n'))

    assert [(line.number, line.cells) for line in found] == [(1, ("a", "b")), (2, ("1", "x\ny")), (4, ("2", "z"))]


@pytest.mark.parametrize("rest", ["", '\n4;Bo "\n', '\n4;"Bo\n', "\n" * 50])
def test_a_quotation_mark_that_is_never_closed_costs_its_own_line_and_no_other(rest: str):
    found = list(lines(f'a;b\n1;"Anna\n2;Eva\n3;Ulla{rest}'.encode()))

    assert found[1].fault == "A quotation mark on this line is never closed."
    assert [line.cells for line in found[2:4]] == [("2", "Eva"), ("3", "Ulla")]


def test_a_line_without_end_is_refused_and_the_next_is_read():
    found = list(lines(b"a;b\n" + b"x" * 100_000 + b"\n1;2\n"))

    assert found[1].fault
    assert found[2].cells == ("1", "2")


@given(st.binary(max_size=400))
def test_any_bytes_are_lines(data: bytes):
    for line in lines(data):
        assert line.fault or any(line.cells)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str, str]], encoding: str):
    rows = [("first heading", "second heading", "third heading"), *rows]
    written = io.StringIO()
    csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)

    kept = [row for row in rows if any(cell and not cell.isspace() for cell in row)]
    assert cells(written.getvalue().encode(encoding)) == kept
