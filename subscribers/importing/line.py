"""One line of a member file."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """Cells as text. With a `fault` (a sentence) the line could not be read and has no cells."""

    number: int  # as an editor or a spreadsheet counts, from 1
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What the secretary is told about a line: a sentence, and its values apart so that it can be translated."""

    line: int
    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)
