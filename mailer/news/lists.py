"""The plain-text list: a heading, then items of a bullet with a title and indented paragraphs."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from mailer.news.decoding import decode
from mailer.news.parsed import MAX_ITEMS, BrokenList, ParsedItem, guid_of_title, one_line, paragraphs

_BULLET = re.compile(r"([ \t]*)([•‣◦▪●·*–-])[ \t\u00a0]+(?=\S)")
_LINE_END = re.compile(r"\r\n|\r|\n")  # str.splitlines would also cut at form feeds and U+2028


def parse_list(content: bytes, charset: str | None = None) -> list[ParsedItem]:
    """Read the items in their order.

    A title may run over several lines, up to the first blank one. A deeper bullet, or one of another kind than
    the first, belongs to a body.

    raises  BrokenList when no line starts with a bullet
    """
    lines = [line.rstrip(" \t") for line in _LINE_END.split(decode(content, charset))]
    blocks = list(_blocks(lines))
    if not blocks:
        raise BrokenList("The list has no item: each starts with a bullet (• - * –) and a title.")
    seen: Counter[str] = Counter()
    return [_item(block, seen) for block in blocks[:MAX_ITEMS]]


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Cut the lines at the bullets; what stands before the first is the heading and is left out."""
    first: re.Match[str] | None = None
    block: list[str] = []
    for line in lines:
        match = _BULLET.match(line)
        if match and (first is None or (match[2] == first[2] and len(match[1]) <= len(first[1]))):
            first = first or match
            if block:
                yield block
            block = [line[match.end() :]]
        elif first:
            block.append(line.lstrip(" \t"))
    if block:
        yield block


def _item(block: list[str], seen: Counter[str]) -> ParsedItem:
    blank = next((place for place, line in enumerate(block) if not line.strip()), len(block))
    title = one_line(" ".join(block[:blank]))
    guid = guid_of_title(title)
    seen[guid] += 1
    if seen[guid] > 1:  # two articles under one title keep apart by their order
        guid = f"{guid}:{seen[guid]}"
    body = "\n".join(line if line.strip() else "" for line in block[blank:])
    return ParsedItem(guid=guid, title=title, body=paragraphs(body))
