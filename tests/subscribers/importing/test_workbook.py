import io
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import Refused
from subscribers.importing import lines


def saved(*rows: tuple[object, ...], sheets: tuple[str, ...] = ("Blad1",)) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    for row in rows:
        book.active.append(row)
    for name in sheets[1:]:
        book.create_sheet(name).append((name, "x"))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def altered(data: bytes, before: bytes, after: bytes) -> bytes:
    """Return the workbook with something else in the markup of its first sheet."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            if part.endswith("sheet1.xml"):
                assert before in content
                content = content.replace(before, after, 1)
            new.writestr(part, content)
    return written.getvalue()


def read(data: bytes, sheet: str | None = None) -> list[tuple[int, tuple[str, ...]]]:
    return [(line.number, line.cells) for line in lines.read(data, name="medlemmar.xlsx", sheet=sheet)]


def test_cells_are_read_as_a_person_would_write_them():
    data = saved(("Nr", "Namn", "Datum", "Ja"), (12345.0, "Åsa", date(2024, 3, 1), True), (), (7, " Bo ", None, 1.5))

    assert read(data) == [
        (1, ("Nr", "Namn", "Datum", "Ja")),
        (2, ("12345", "Åsa", "2024-03-01", "True")),
        (4, ("7", "Bo", "", "1.5")),
    ]


def test_a_sheet_is_chosen_by_name():
    data = saved(("a", "b"), sheets=("Blad1", "Medlemmar"))

    assert read(data, "Medlemmar") == [(1, ("Medlemmar", "x"))]
    with pytest.raises(Refused, match="Blad1, Medlemmar"):
        read(data, "Blad9")


@pytest.mark.parametrize(
    "bomb",
    [
        (b'r="B2"', b'r="XFD1048576"'),
        (b'r="B2"', b"r = 'xfd1048576'"),
        (b'r="B2"', b'r="AAAAAAA2"'),
        (b'<row r="2"', b'<row r="1048576"'),
        (b"</sheetData>", b"<row>" + b"<c/>" * 16_000 + b"</row>" + b"<row/>" * 2_000 + b"</sheetData>"),
    ],
)
def test_a_small_workbook_that_asks_for_all_memory_is_refused(bomb: tuple[bytes, bytes]):
    wide = saved(tuple(f"column {number}" for number in range(30)), (1, "a@example.org"))

    with pytest.raises(Refused, match="unfolds"):
        read(altered(wide, *bomb))


def test_a_part_that_unpacks_to_more_than_it_says_is_counted_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("subscribers.importing.workbook._LARGEST", 2**20)
    data = bytearray(altered(saved(("a", "b")), b"<sheetData>", b" " * 3 * 2**20 + b"<sheetData>"))
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(b"sheet1.xml"))
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")  # the directory's word on the unpacked size

    with pytest.raises(Refused, match="unfolds"):
        read(bytes(data))


@given(st.binary(max_size=200), st.integers(0, 5000))
def test_a_damaged_workbook_is_refused_and_never_crashes(noise: bytes, at: int):
    data = bytearray(WORKBOOK)
    data[at : at + len(noise)] = noise
    try:
        read(bytes(data[: len(WORKBOOK)]))
    except Refused:
        return


WORKBOOK = saved(("Nr", "E-post"), (1, "a@example.org"))


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7",
        b"\xd0\xcf\x11\xe0old",
        b"PK\x03\x04",
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\xef\xbb\xbf <table><tr><td>E-post</td></tr></table>",
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(data: bytes):
    with pytest.raises(Refused, match="save it"):
        read(data)
