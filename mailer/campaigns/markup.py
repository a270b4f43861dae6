"""Markdown becomes the nodes that templates lay out: headings, paragraphs, lists, rules, quotations. Pure.

A node is JSON. Its words are `spans`, each with where it leads (`href`, or `own` for a link of the reader's own, or
neither) and `runs`: {"text", "strong", "em", "slot", "fallback", "line"}. `slot` is a value of the reader's own that
stands in place of `text`; `line` begins a new one. Nothing in it is HTML, whatever was written.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.parts import Line
from mailer.campaigns.values import LINKS, MARK, TEXTS, Values
from mailer.message.headers import Refused, addr_spec, url

Json = dict[str, Any]

_IN_URLS = "%/:?#[]@!$&'()*+,;=-._~"  # RFC 3986 section 2
_LEVELS = {"h1": 2, "h2": 2, "h3": 3, "h4": 3, "h5": 3, "h6": 3}  # the letter's own heading is the first

_READER = MarkdownIt("commonmark").disable(["code", "fence", "backticks", "html_block", "html_inline", "reference"])
_READER.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005  # `address` judges, and says where
_READER.normalizeLink = lambda url: url  # type: ignore[method-assign]  # as above


def nodes_of(lines: Sequence[Line], values: Values) -> list[Json]:
    """Read Markdown. raises WrongText"""
    text = "\n".join(values.marked(line.text, line.at) for line in lines)
    return list(_nodes(_READER.parse(text), lines, values))


def spans_of(marked: str, at: Place, values: Values) -> list[Json]:
    """Read one line of Markdown, its values marked, such as the words on a button. raises WrongText"""
    (token,) = _READER.parseInline(marked)
    return _spans(token.children or [], at, values)


def runs_of(text: str, at: Place, values: Values) -> list[Json]:
    """Read one line in which nothing but values means anything: a subject. raises WrongText"""
    return list(_split(values.marked(text, at), values, strong=0, em=0))


def plain(spans: Sequence[Json]) -> str:
    """Return the words of spans, with fallbacks where the reader's own values will stand."""
    return "".join(run["fallback"] or run["text"] or " " * run["line"] for span in spans for run in span["runs"])


def _nodes(tokens: Sequence[Token], lines: Sequence[Line], values: Values) -> Iterator[Json]:
    number = 0
    while number < len(tokens):
        token = tokens[number]
        end = _end(tokens, number)
        at = lines[min((token.map or [0])[0], len(lines) - 1)].at
        yield _node(token, tokens[number + 1 : end], at, lines, values)
        number = end + 1


def _end(tokens: Sequence[Token], start: int) -> int:
    """Return where what begins at `start` ends: itself, or the token that closes it."""
    depth = 0
    for number in range(start, len(tokens)):
        depth += tokens[number].nesting
        if depth == 0:
            return number
    raise AssertionError("Markdown closes what it opens")


def _node(token: Token, inner: Sequence[Token], at: Place, lines: Sequence[Line], values: Values) -> Json:
    match token.type:
        case "heading_open":
            return {"block": "heading", "level": _LEVELS[token.tag], "spans": _words(inner, at, values)}
        case "paragraph_open":
            return {"block": "paragraph", "spans": _words(inner, at, values)}
        case "bullet_list_open" | "ordered_list_open":
            start = token.attrGet("start")
            first = (1 if start is None else int(start)) if token.type == "ordered_list_open" else None
            return {"block": "list", "first": first, "items": list(_items(inner, lines, values))}
        case "blockquote_open":
            return {"block": "quote", "by": "", "paragraphs": list(_paragraphs(inner, lines, values))}
        case "hr":
            return {"block": "rule"}
        case _:
            raise WrongText("This cannot stand in a letter.", at=at)


def _items(tokens: Sequence[Token], lines: Sequence[Line], values: Values) -> Iterator[list[list[Json]]]:
    number = 0
    while number < len(tokens):
        end = _end(tokens, number)
        yield list(_paragraphs(tokens[number + 1 : end], lines, values))
        number = end + 1


def _paragraphs(tokens: Sequence[Token], lines: Sequence[Line], values: Values) -> Iterator[list[Json]]:
    """Yield the spans of each paragraph. raises WrongText for anything else"""
    number = 0
    while number < len(tokens):
        token, end = tokens[number], _end(tokens, number)
        at = lines[min((token.map or [0])[0], len(lines) - 1)].at
        if token.type != "paragraph_open":
            raise WrongText("A list or a quotation in a letter holds paragraphs, and nothing else.", at=at)
        yield _words(tokens[number + 1 : end], at, values)
        number = end + 1


def _words(inner: Sequence[Token], at: Place, values: Values) -> list[Json]:
    return _spans(inner[0].children or [], at, values) if inner else []


def _spans(tokens: Sequence[Token], at: Place, values: Values) -> list[Json]:
    spans: list[Json] = [_span()]
    strong = em = 0
    for token in tokens:
        strong += token.nesting if token.tag == "strong" else 0
        em += token.nesting if token.tag == "em" else 0
        match token.type:
            case "link_open":
                spans.append(_span(**_target(str(token.attrGet("href") or ""), at, values)))
            case "link_close":
                if not plain(spans[-1:]).strip():
                    raise WrongText("A link needs words that say where it leads.", at=at)
                spans.append(_span())
            case "image":
                raise WrongText("A picture is a block: write ::: image and its file, its words, and :::.", at=at)
            case "softbreak" | "hardbreak":
                spans[-1]["runs"].append(_run(" " if token.type == "softbreak" else "", line=token.type == "hardbreak"))
            case "text" | "text_special":
                spans[-1]["runs"] += _split(token.content, values, strong=strong, em=em)
            case _:
                continue
    return [span for span in spans if span["runs"]]


def _split(text: str, values: Values, *, strong: int, em: int) -> Iterator[Json]:
    for number, part in enumerate(MARK.split(text)):
        if number % 2:
            value = values.found[int(part)]
            if value.name not in TEXTS:
                raise WrongText(
                    "{name} is where a link leads: write [words]({example}).",
                    at=value.at,
                    name=value.name,
                    example=f"{{{{ {value.name} }}}}",
                )
            yield _run("", slot=value.name, fallback=value.fallback, strong=strong, em=em)
        elif part:
            yield _run(part, strong=strong, em=em)


def _target(href: str, at: Place, values: Values) -> Json:
    """Return where a link leads. raises WrongText"""
    mark = MARK.fullmatch(href)
    if mark:
        value = values.found[int(mark[1])]
        if value.name in LINKS:
            return {"own": LINKS[value.name]}
    if MARK.search(href):
        raise WrongText("A link leads to one web address, or to one of {known}.", at=at, known=", ".join(LINKS))
    return {"href": address(href, at)}


def address(href: str, at: Place) -> str:
    """Return a web address, or local@domain for a mail. raises WrongText"""
    try:
        if href.startswith("mailto:"):
            return addr_spec("a link", href.removeprefix("mailto:")).decode("ascii")
        return url("a link", _in_ascii(href)).decode("ascii")
    except Refused:
        raise WrongText(
            "{link} is no web address: write the whole of it, as https://example.org.", at=at, link=href[:80]
        ) from None


def _in_ascii(href: str) -> str:
    """Write letters beyond ASCII in a path as servers want them; a domain with such is left, and refused."""
    start, slashes, rest = href.partition("//")
    host, slash, path = rest.partition("/")
    return f"{start}{slashes}{host}{slash}{quote(path, safe=_IN_URLS)}"


def _span(*, href: str | None = None, own: str | None = None) -> Json:
    return {"href": href, "own": own, "runs": []}


def _run(
    text: str, *, slot: str | None = None, fallback: str = "", strong: int = 0, em: int = 0, line: bool = False
) -> Json:
    return {
        "text": text,
        "slot": slot,
        "fallback": fallback,
        "strong": bool(strong),
        "em": bool(em),
        "line": line,
    }
