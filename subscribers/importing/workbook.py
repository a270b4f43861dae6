"""XLSX by calamine, after a look at the archive: a few kilobytes of XLSX can ask for all memory there is."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from subscribers.errors import Refused
from subscribers.importing.line import Line

_LARGEST = 600 * 2**20  # bytes of the archive when unpacked
_MOST_CELLS = 20_000_000  # calamine lays out the whole rectangle between the first and the last cell: 31 bytes each
_CHUNK = 2**20
_TOKEN = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])|[\s\"']r\s*=\s*[\"']([A-Za-z]*)([0-9]*)[\"']")


def lines(data: bytes, sheet: str | None) -> Iterator[Line]:
    """Yield the rows that hold something of `sheet`, or of the first visible one.

    raises  Refused when it is no workbook, asks for too much memory, or has no such sheet
    """
    try:
        _refuse_bombs(data)
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            rows = workbook.get_sheet_by_name(_sheet(workbook, sheet)).iter_rows()
            for number, row in enumerate(rows, start=1):
                cells = tuple(map(_text, row))
                if any(cells):
                    yield Line(number, cells)
    except (CalamineError, zipfile.BadZipFile, NotImplementedError, zlib.error, struct.error):  # zipfile's own words
        raise Refused("The workbook is damaged or locked by a password: save it anew as .xlsx or .csv.") from None


def _sheet(workbook: CalamineWorkbook, wanted: str | None) -> str:
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ is SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if wanted is None:
        visible = [sheet.name for sheet in sheets if sheet.visible is SheetVisibleEnum.Visible]
        if visible or names:
            return (visible or names)[0]
        raise Refused("The workbook has no sheet with a table.")
    if wanted not in names:
        raise Refused("There is no sheet {sheet}; there are: {sheets}.", sheet=wanted, sheets=", ".join(names))
    return wanted


def _text(value: object) -> str:
    """Write a cell as a person would: a member number is no 123.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _refuse_bombs(data: bytes) -> None:
    """Unpack every part once, whatever it is called, and count: the archive's own word on sizes may be a lie."""
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.infolist():
            extent = _Extent()
            for chunk in _unpack(data, part):
                unpacked += len(chunk)
                extent.see(chunk)
                if unpacked > _LARGEST or extent.cells > _MOST_CELLS:
                    raise Refused("The workbook unfolds to more than a register can be: save it as .csv.")


def _unpack(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    name, extra = struct.unpack_from("<HH", data, part.header_offset + 26)
    start = part.header_offset + 30 + name + extra
    packed = data[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        yield packed
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflate.eof and (chunk := inflate.decompress(packed, _CHUNK)):
        packed = inflate.unconsumed_tail
        yield chunk


class _Extent:
    """How large a rectangle the cells of a part span, read from its markup as it passes."""

    def __init__(self) -> None:
        self._rest = b""
        self._column = self._columns = self._row = self._rows = 0

    @property
    def cells(self) -> int:
        return self._rows * self._columns

    def see(self, chunk: bytes) -> None:
        markup = self._rest + chunk
        end = max(markup.rfind(b"<"), 0)  # the last tag may go on in the next chunk
        self._rest = markup[end:]
        for token in _TOKEN.finditer(markup, 0, end):
            self._count(*token.groups())

    def _count(self, tag: bytes | None, letters: bytes | None, digits: bytes | None) -> None:
        if tag == b"row":
            self._row, self._column = self._row + 1, 0
        elif tag == b"c":
            self._column += 1
        if letters:
            self._column = _column_number(letters)
        if digits:
            self._row = int(digits[:9])
        self._columns, self._rows = max(self._columns, self._column), max(self._rows, self._row)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:7].upper():
        number = number * 26 + letter - ord("A") + 1
    return number
