"""A member file as lines of cells, whatever it was saved as."""

import codecs
from collections.abc import Iterator
from pathlib import PurePath

from subscribers.errors import Refused
from subscribers.importing import text_file, workbook
from subscribers.importing.line import Line

LARGEST = 256 * 2**20  # bytes; a million members take about 150 MB as text
_HEADINGS = 64  # bytes, in which a picture or a program has a NUL and headings have none
_NO_TABLE = (b"\xd0\xcf\x11\xe0", b"%PDF", b"{\\rtf", b"\x1f\x8b", b"<")  # old Excel, PDF, RTF, gzip, HTML called .xls


def read(data: bytes, *, name: str, sheet: str | None = None) -> Iterator[Line]:
    """Yield the lines that hold something. What the bytes are decides, not what the file is called.

    name    of the file, for sentences
    sheet   of a workbook; None takes its first
    raises  Refused when it is neither text nor an XLSX workbook, or too large
    """
    if len(data) > LARGEST:
        raise Refused("{file} is larger than {limit} MB: split it.", file=PurePath(name).name, limit=LARGEST // 2**20)
    if data.startswith(b"PK\x03\x04"):
        return workbook.lines(data, sheet)
    if _is_something_else(data):
        raise Refused("{file} is not a table that can be read: save it as .xlsx or .csv.", file=PurePath(name).name)
    return text_file.lines(data)


def _is_something_else(data: bytes) -> bool:
    head = data[:_HEADINGS]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_NO_TABLE) or 0 in head
