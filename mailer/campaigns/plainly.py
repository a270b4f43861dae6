"""A letter in plain words, for whoever approves it on a page of their own. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from mailer.campaigns.content import subjects_of
from mailer.campaigns.markup import Json, plain


def in_plain_words(content: Json) -> str:
    """Return what the first version of a letter says: its subjects, then its blocks, apart by blank lines."""
    version = next(iter(content["versions"].values()))
    return "\n\n".join([" / ".join(subjects_of(version)), *_blocks(version["nodes"])])


def _blocks(nodes: Sequence[Json]) -> Iterator[str]:
    for node in nodes:
        if node["block"] == "columns":
            for column in node["columns"]:
                yield from _blocks(column)
        elif node["block"] in _SAID:
            yield _SAID[node["block"]](node)


def _quote(node: Json) -> str:
    return "\n".join([*(f"”{plain(spans)}”" for spans in node["paragraphs"]), *filter(None, [node["by"]])])


_SAID: Mapping[str, Callable[[Json], str]] = {
    "heading": lambda node: plain(node["spans"]),
    "paragraph": lambda node: plain(node["spans"]),
    "list": lambda node: "\n".join(f"- {' '.join(map(plain, item))}" for item in node["items"]),
    "quote": _quote,
    "button": lambda node: f"[{plain(node['spans'])}] {node['spans'][0]['href'] or ''}".rstrip(),
    "event": lambda node: "\n".join(filter(None, (node["title"], node["when"], node["place"]))),
    "news": lambda node: "\n".join(f"- {item['title']} {item['url']}" for item in node["items"]),
    "image": lambda node: f"({node['alt']})",
}
