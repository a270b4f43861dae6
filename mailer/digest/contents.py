"""What is stored of an edition, and how it becomes what the letter's templates read. Pure.

A mailing's content   {"edition", "subject", "intro", "correction", "names": {"district": {slug: name},
                       "topic": {slug: {language: name}}}}
A piece               {"item": id, "title", "paragraphs", "teaser", "url", "source_name", "published": "2024-03-04",
                       "image": {"url", "alt", "width", "height"} | None, "important"}
A variant's content   {"sections": [{"heading": R, "items": [[ref, R], ...]}], "events": [[ref, R], ...],
                       "newcomers": [[district slug, number], ...], "letterhead": district slug | None}, where R is a
                       reason, "district:bromma" or "everyone"; the piece of an event is one of mailer.events.frozen
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from mailer.digest.reasons import Kind, Reason
from mailer.digest.rules import Digest
from mailer.events.frozen import shown
from mailer.lasting import once

Json = dict[str, Any]
Refs = Mapping[int, int | None]  # outdated ref -> the one that replaces it, None when the item was withdrawn


def compact(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def variant_content(
    digest: Digest, refs: Mapping[int, int], letterhead: str | None, *, events: Mapping[int, int] = MappingProxyType({})
) -> str:
    """Return a Variant's content as JSON. `refs`: news item id -> ref of its piece; `events`: the same of events."""
    sections = [
        {
            "heading": _written(section.heading),
            "items": [[refs[pick.item], _written(pick.reason)] for pick in section.picks],
        }
        for section in digest.sections
    ]
    happenings = [[events[pick.item], _written(pick.reason)] for pick in digest.happenings]
    return compact(
        {
            "sections": sections,
            "events": happenings,
            "newcomers": [list(one) for one in digest.newcomers],
            "letterhead": letterhead,
        }
    )


def expand(mailing_content: Json, pieces: Mapping[int, Json], variant_content: Json, language: str) -> Json:
    """Return what the digest's templates read, in `language`. `pieces`: ref -> piece."""
    names = mailing_content["names"]
    return {
        "edition": mailing_content["edition"],
        "subject": mailing_content["subject"],
        "intro": mailing_content["intro"],
        "correction": mailing_content["correction"],
        "sections": [_section(section, pieces, names, language) for section in variant_content["sections"]],
        "events": [
            _event(pieces[ref], _read(reason), names, language) for ref, reason in variant_content.get("events", ())
        ],
        "newcomers": [
            {"name": names["district"].get(slug, slug), "number": number}
            for slug, number in variant_content.get("newcomers", ())
        ],
    }


def replaced(content: Json, refs: Refs) -> Json | None:
    """Return a variant's content with the outdated refs replaced or taken out. None: nothing is left."""
    sections = []
    for section in content["sections"]:
        kept = [(refs.get(ref, ref), reason) for ref, reason in section["items"]]
        if items := [[ref, reason] for ref, reason in kept if ref is not None]:
            sections.append(section | {"items": items})
    return content | {"sections": sections} if sections else None


def mentions(content: Json, refs: Iterable[int]) -> bool:
    """Say whether a variant's content shows any of these pieces."""
    wanted = set(refs)
    return any(ref in wanted for section in content["sections"] for ref, _ in section["items"])


def title_of(subject: str | None, pieces: Sequence[Json]) -> str:
    """Return what an edition is called where only a line of it is shown: its subject, else its first news."""
    return subject or (str(pieces[0]["title"]) if pieces else "")


def shown_pieces(content: Json, pieces: Mapping[int, Json]) -> list[Json]:
    """Return the pieces of a variant's content in their order. `pieces`: ref -> piece"""
    return [pieces[ref] for section in content["sections"] for ref, _ in section["items"]]


def _section(section: Json, pieces: Mapping[int, Json], names: Json, language: str) -> Json:
    heading = _read(section["heading"])
    kind = Kind.DISTRICT if heading.kind is Kind.PARENT else heading.kind
    return {
        "heading_kind": kind.value,
        "name": _name(heading, names, language),
        "items": [_item(pieces[ref], _read(reason), names, language) for ref, reason in section["items"]],
    }


def _item(piece: Json, reason: Reason, names: Json, language: str) -> Json:
    why = {"kind": reason.kind.value, "name": _name(reason, names, language)}
    return once(
        piece,
        (_item, *why.values()),
        lambda: piece | {"published": date.fromisoformat(piece["published"]), "reason": why},
    )


def _event(piece: Json, reason: Reason, names: Json, language: str) -> Json:
    why = {"kind": reason.kind.value, "name": _name(reason, names, language)}
    return once(piece, (_event, language, *why.values()), lambda: shown(piece, language) | {"reason": why})


def _name(reason: Reason, names: Json, language: str) -> str | None:
    if reason.slug is None:
        return None
    if reason.kind is Kind.TOPIC:
        return str(names["topic"].get(reason.slug, {}).get(language, reason.slug))
    return str(names["district"].get(reason.slug, reason.slug))


def _written(reason: Reason) -> str:
    return reason.kind.value if reason.slug is None else f"{reason.kind.value}:{reason.slug}"


def _read(text: str) -> Reason:
    kind, _, slug = text.partition(":")
    return Reason(Kind(kind), slug or None)
