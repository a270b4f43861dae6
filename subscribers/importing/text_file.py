"""CSV as spreadsheets and registers save it: encoding and separator recognised, a broken line kept apart."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

from subscribers.importing.line import Line

_SEPARATORS = ";\t,|"  # the first of equals wins: a Swedish Excel writes semicolons
_LONGEST = 60_000  # characters of one record; below the csv module's own limit of a field
_TALLEST = 20  # physical lines of one record: a quote open for longer was never closed
_LOOKED_AT = 20  # lines that decide on the separator
UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def lines(data: bytes) -> Iterator[Line]:
    """Yield the records that hold something; one that cannot be read has a `fault`, and the next ones go on."""
    physical = io.StringIO(decode(data), newline=None).readlines()
    start = 0
    if physical and physical[0].lower().startswith("sep=") and len(physical[0].rstrip("\n")) == len("sep=;"):
        separator, start = physical[0][len("sep=")], 1  # Excel's own way to say it
    else:
        separator = _separator(physical[:_LOOKED_AT])
    most = max((line.count(separator) for line in physical[:_LOOKED_AT]), default=0)
    while start < len(physical):
        line, start = _record(physical, start, separator, most)
        if line.fault or any(cell and not cell.isspace() for cell in line.cells):
            yield line


def decode(data: bytes) -> str:
    """Return the text of UTF-8, UTF-16 with a mark, or Windows-1252; a byte that is neither becomes U+FFFD.

    One damaged byte in a UTF-8 file must not turn every å of it into two other letters: the file is taken
    for UTF-8 when more of its characters beyond ASCII are whole than broken.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8-sig", "replace")
    broken = text.count(UNREADABLE)
    if broken and broken >= sum(character > "\x7f" for character in text) - broken:
        return data.decode("cp1252", "replace")
    return text


def _separator(first: Sequence[str]) -> str:
    """Return the separator that cuts the heading into most cells; where none cuts it, whatever cuts a line into most.

    A name of a column holds no separator; what people wrote below may be full of commas.
    """

    def cells(separator: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(first, delimiter=separator)]
        except csv.Error:
            return (0, 0)
        return next(filter(None, widths), 0), max(widths, default=0)

    return max(_SEPARATORS, key=cells)


def _record(physical: Sequence[str], start: int, separator: str, most: int) -> tuple[Line, int]:
    """Read one record and return it with the index of the next; `most` separators make a whole line.

    When its quotes do not close, or only after a line that is whole by itself, its first line alone is given
    up: swallowing the lines after it would lose members without a word.
    """
    record, end = physical[start], start + 1
    while record.count('"') % 2 and end < min(len(physical), start + _TALLEST):
        if '"' not in physical[end] and physical[end].count(separator) >= max(most, 1):
            break
        record += physical[end]
        end += 1
    if len(record) > _LONGEST:
        return Line(start + 1, (), "The line is longer than a member can be."), start + 1
    try:
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=separator, strict=end > start + 1))
    except csv.Error:
        rows = []
    if len(rows) != 1 or record.count('"') % 2:
        return Line(start + 1, (), "A quotation mark on this line is never closed."), start + 1
    return Line(start + 1, tuple(rows[0])), end
