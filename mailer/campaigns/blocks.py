"""The building blocks of a text: lines of ::: and a name open one, ::: alone ends it. Pure.

    ::: button https://example.org/join
    Come along
    :::

`event` and `news` are one line and need no end. Only `columns` holds other blocks, apart by a line of |||.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.parts import Line

_FENCE = re.compile(r":::+[ \t]*(?P<name>[^\s]*)[ \t]*(?P<said>.*?)[ \t]*")
_BETWEEN = "|||"
WHOLE = ("event", "news")  # said in one line
HOLDING = ("button", "image", "quote", "columns")
NAMES = (*HOLDING[:1], *WHOLE, *HOLDING[1:])


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a text: "text", or one of NAMES with what is `said` after it. `columns`: the two of that block."""

    name: str
    at: Place
    said: str = ""
    said_at: Place | None = None
    lines: tuple[Line, ...] = ()
    columns: tuple[tuple["Block", ...], ...] = ()


def blocks_of(lines: Sequence[Line], *, inside: bool = False) -> tuple[Block, ...]:
    """Divide a text into blocks. `inside`: of columns, which hold no columns. raises WrongText"""
    found: list[Block] = []
    text: list[Line] = []
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        fence = _FENCE.fullmatch(line.text.strip())
        if fence is None:
            text.append(line)
            continue
        found += _text(text)
        text = []
        block, taken = _block(line, fence, rest, inside=inside)
        found.append(block)
        del rest[:taken]
    return (*found, *_text(text))


def _text(lines: Sequence[Line]) -> list[Block]:
    return [Block("text", lines[0].at, lines=tuple(lines))] if any(line.text.strip() for line in lines) else []


def _block(line: Line, fence: re.Match[str], rest: Sequence[Line], *, inside: bool) -> tuple[Block, int]:
    """Return the block that `line` opens, and how many of the lines after it belong to it."""
    name, indent = fence["name"], 1 + len(line.text) - len(line.text.lstrip())
    at = Place(line.at.file, line.at.line, indent + fence.start("name"))
    said_at = Place(line.at.file, line.at.line, indent + fence.start("said"))
    if not name:
        raise WrongText("This ::: ends a block, and none is open.", at=line.at)
    if name not in NAMES:
        raise WrongText("There is no block {name}: there are {known}.", at=at, name=name, known=", ".join(NAMES))
    if name in WHOLE:
        return Block(name, at, fence["said"], said_at), int(bool(rest) and _ends(rest[0]))
    end = _end(rest, at, name)
    within = tuple(rest[:end])
    if name != "columns":
        nested = next((inner for inner in within if _FENCE.fullmatch(inner.text.strip())), None)
        if nested:
            raise WrongText("The block {name} holds no other blocks: end it with ::: first.", at=nested.at, name=name)
        return Block(name, at, fence["said"], said_at, within), end + 1
    if inside:
        raise WrongText("Columns stand in no columns.", at=at)
    return Block(name, at, columns=_columns(within, at)), end + 1


def _end(rest: Sequence[Line], at: Place, name: str) -> int:
    """Return how many lines stand before the ::: that ends a block."""
    depth, after_whole = 1, False
    for number, line in enumerate(rest):
        fence = _FENCE.fullmatch(line.text.strip())
        if fence and not (after_whole and _ends(line)):
            opens = fence["name"] not in ("", *WHOLE)
            depth += (opens and name == "columns") - (not fence["name"])
        if depth == 0:
            return number
        after_whole = fence is not None and fence["name"] in WHOLE and name == "columns"
    raise WrongText("The block {name} does not end: write ::: on a line of its own after it.", at=at, name=name)


def _ends(line: Line) -> bool:
    return line.text.strip() == ":::"


def _columns(lines: Sequence[Line], at: Place) -> tuple[tuple[Block, ...], ...]:
    apart = [number for number, line in enumerate(lines) if line.text.strip() == _BETWEEN]
    if len(apart) != 1:
        raise WrongText("Two columns are apart by one line of |||.", at=at)
    columns = tuple(blocks_of(some, inside=True) for some in (lines[: apart[0]], lines[apart[0] + 1 :]))
    if not all(columns):
        raise WrongText("Each of the two columns has to say something.", at=at)
    return columns
