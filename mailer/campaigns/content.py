"""A letter as it is frozen, and how it becomes what its templates read. Pure.

{"kind", "publication", "sender", "event": [id, sequence] or null, "told": [[id, sequence], ...], "audience": the rule,
 "archive": only as false, "versions": {language: {"subjects": [runs, ...], "preheader": text, "nodes": [...]}}}

A node is what mailer.campaigns.markup says, or one of the building blocks:

{"block": "button", "spans": one span}              {"block": "image", "picture", "width", "height", "alt"}
{"block": "event", "title", "when", "place", ...}   {"block": "news", "items": [{"title", "url", "source", "date"}]}
{"block": "quote", "paragraphs", "by"}              {"block": "columns", "columns": [nodes, nodes]}
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mailer.campaigns.blocks import Block, blocks_of
from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.markup import Json, nodes_of, plain, runs_of, spans_of
from mailer.campaigns.values import Values
from mailer.campaigns.written import Text, Written
from mailer.message.characters import one_line
from mailer.sentences import N_

_LONGEST_ALT = 250  # characters that a screen reader says in one go


class Look(Protocol):
    """Where a letter's blocks find what they name. Each raises WrongText for what is not there."""

    def event(self, which: str, language: str, at: Place) -> Json: ...

    def news(self, which: str, language: str, at: Place) -> Json: ...

    def picture(self, source: str, at: Place) -> Json: ...


def compiled(written: Written, look: Look, ours: Mapping[str, Mapping[str, str]]) -> Json:
    """Return the content of a letter. `ours`: language -> the values that are ours. raises WrongText"""
    front = written.front
    versions = {text.language: _version(text, look, Values(ours[text.language])) for text in written.texts}
    about = look.event(front.event, "sv", written.at("event")) if front.event else None
    events = [node["told"] for version in versions.values() for node in _every(version["nodes"], "event")]
    told = sorted({tuple(told) for told in (*events, *([about["told"]] if about else []))})
    return {
        "kind": front.kind,
        "publication": front.publication,
        "sender": front.sender,
        "event": about and about["told"],
        "told": [list(one) for one in told],
        "audience": front.audience.model_dump(mode="json"),
        "versions": versions,
    } | ({} if front.archive else {"archive": False})


def digest_of(content: Json) -> str:
    """Return the hash of a letter: whatever its readers would see otherwise changes it, and another audience does.

    The number of an event's revision is left out: what was mended there may not stand in the letter.
    """
    shown = {name: value for name, value in content.items() if name not in ("event", "told")}
    return hashlib.sha256(compact(_untold(shown)).encode()).hexdigest()


def _untold(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _untold(inner) for name, inner in value.items() if name != "told"}
    return [_untold(inner) for inner in value] if isinstance(value, list) else value


def compact(content: Json) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def leads_to(content: Any, own: str) -> bool:
    """Say whether a link of the reader's own stands in a letter."""
    if isinstance(content, dict):
        return content.get("own") == own or any(leads_to(inner, own) for inner in content.values())
    return isinstance(content, list) and any(leads_to(inner, own) for inner in content)


def pictures_in(written: Written) -> list[tuple[str, Place]]:
    """Return the pictures that a letter names, as written. raises WrongText"""
    blocks = [block for text in written.texts for block in blocks_of(text.body)]
    inner = [block for whole in blocks for column in whole.columns for block in column]
    return [(block.said, block.said_at or block.at) for block in (*blocks, *inner) if block.name == "image"]


def subjects_of(version: Json) -> list[str]:
    """Return the subjects as a listing shows them."""
    return [subject_of(subject) for subject in version["subjects"]]


def subject_of(runs: Sequence[Json]) -> str:
    """Return the runs of a subject as text: with fallbacks where values of the reader's own will stand."""
    return plain([{"runs": runs}])


def expand(_mailing: Json, _pieces: Mapping[int, Json], content: Json, _language: str) -> Mapping[str, object]:
    """Return what the templates read of a variant, whose content `variant_of` made."""
    return {
        "subject": content["subject"],
        "preheader": content["preheader"],
        "sections": content["sections"],
        "opening": content["opening"],
        "one_off": True,
        "test": bool(content.get("test")),
    }


def variant_of(version: Json, subject: int, sender: str | None, image: str) -> Json:
    """Return the content of one variant. `image`: where pictures lie, to which their names are added"""
    return {
        "subject": version["subjects"][subject],
        "number": subject,
        "preheader": version["preheader"],
        "opening": _opening(version["nodes"]),
        "sections": _sections([_placed(node, image) for node in version["nodes"]]),
        "letterhead": sender,
    }


def _opening(nodes: Sequence[Json]) -> str:
    """Return the first words of a letter: an inbox shows them where there is no preheader."""
    return next((plain(node["spans"]) for node in nodes if node["block"] == "paragraph"), "")


def _placed(node: Json, image: str) -> Json:
    if node["block"] == "columns":
        return node | {"columns": [[_placed(inner, image) for inner in column] for column in node["columns"]]}
    return node | {"url": image + node["picture"]} if node["block"] == "image" else node


def _sections(nodes: Sequence[Json]) -> list[Json]:
    """Gather the nodes between columns: MJML's columns are sections of their own."""
    sections: list[Json] = []
    for node in nodes:
        if node["block"] == "columns":
            sections.append({"columns": node["columns"], "nodes": []})
        else:
            if not sections or sections[-1]["columns"]:
                sections.append({"columns": [], "nodes": []})
            sections[-1]["nodes"].append(node)
    return sections


def _version(text: Text, look: Look, values: Values) -> Json:
    version = text.version
    if "{{" in version.preheader:
        raise WrongText("The preheader is the same for all: no values stand in it.", at=text.at("preheader"))
    return {
        "subjects": [runs_of(said, text.at_words("subject", said), values) for said in version.subject],
        "preheader": version.preheader,
        "nodes": _nodes(blocks_of(text.body), look, text.language, values),
    }


def _every(nodes: Sequence[Json], name: str) -> list[Json]:
    inner = [node for whole in nodes if whole["block"] == "columns" for column in whole["columns"] for node in column]
    return [node for node in (*nodes, *inner) if node["block"] == name]


def _nodes(blocks: Sequence[Block], look: Look, language: str, values: Values) -> list[Json]:
    nodes: list[Json] = []
    for block in blocks:
        if block.name == "text":
            nodes += nodes_of(block.lines, values)
        elif block.name == "columns":
            columns = [_nodes(column, look, language, values) for column in block.columns]
            nodes.append({"block": "columns", "columns": columns})
        else:
            nodes.append(_block(block, look, language, values))
    return nodes


def _block(block: Block, look: Look, language: str, values: Values) -> Json:
    at = block.said_at or block.at
    match block.name:
        case "button":
            return _button(block, at, values)
        case "image":
            alt = _words(block, N_("A picture needs words for those who cannot see it: write them before the :::."))
            if "{{" in alt:
                raise WrongText("The words of a picture are the same for all: no values stand in them.", at=at)
            if len(alt) > _LONGEST_ALT:
                raise WrongText("Say it in {limit} characters; tell the rest in the text.", at=at, limit=_LONGEST_ALT)
            return {"block": "image", "alt": alt, **look.picture(block.said, at)}
        case "quote":
            return _quote(block, values)
        case "event":
            return {"block": "event", **look.event(block.said, language, at)}
        case _:
            return {"block": "news", **look.news(block.said, language, at)}


def _button(block: Block, at: Place, values: Values) -> Json:
    _words(block, N_("A button needs words that say what it does: write them before the :::."))
    words = one_line(" ".join(values.marked(line.text, line.at) for line in block.lines))
    spans = spans_of(f"[{words}]({values.marked(block.said, at)})", at, values)
    if len(spans) != 1 or not (spans[0]["href"] or spans[0]["own"]):
        raise WrongText("A button leads to one web address: write it after ::: button.", at=at)
    return {"block": "button", "spans": spans}


def _quote(block: Block, values: Values) -> Json:
    _words(block, N_("A quotation needs the words that were said."))
    nodes = nodes_of(block.lines, values)
    if any(node["block"] != "paragraph" for node in nodes):
        raise WrongText("A list or a quotation in a letter holds paragraphs, and nothing else.", at=block.at)
    return {"block": "quote", "by": one_line(block.said), "paragraphs": [node["spans"] for node in nodes]}


def _words(block: Block, missing: str) -> str:
    words = one_line(" ".join(line.text for line in block.lines))
    if not words:
        raise WrongText(missing, at=block.at)
    return words
