"""What is stored of a letter about an event, and how it becomes what its templates read. Pure.

A mailing's content   {"number": the event's id, "names": {district slug: name}}
A piece               an event as mailer.events.frozen keeps it, as it was said at one time
A variant's content   {"template": folder, "event": ref, "was": ref of what was said before | None,
                       "reason": "district:bromma" | "everyone", "letterhead": district slug | None}
"""

import json
from collections.abc import Mapping
from typing import Any

from mailer.events.details import Details
from mailer.events.frozen import shown, thawed
from mailer.events.wording import when
from mailer.reminders.choose import Reason

Json = dict[str, Any]


def compact(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def variant_content(letter: str, was: int | None, reason: Reason, letterhead: str | None) -> str:
    """Return a Variant's content as JSON: the event as its first piece has it. `was`: ref of what was said before."""
    because = reason.kind if reason.slug is None else f"{reason.kind}:{reason.slug}"
    return compact({"template": letter, "event": 1, "was": was, "reason": because, "letterhead": letterhead})


def expand(mailing_content: Json, pieces: Mapping[int, Json], variant_content: Json, language: str) -> Json:
    """Return what the templates of letters about events read, in `language`."""
    kind, _, slug = variant_content["reason"].partition(":")
    piece, was = pieces[variant_content["event"]], variant_content["was"]
    return {
        "event": shown(piece, language),
        "changes": changes(thawed(pieces[was]), thawed(piece), language) if was else [],
        "called_off_before": bool(was and pieces[was]["cancelled"]),
        "reason": {"kind": kind, "name": mailing_content["names"].get(slug, slug) if slug else None},
    }


def changes(old: Details, new: Details, language: str) -> list[Json]:
    """Return what is said otherwise of when and where: a label to translate, what was said and what is said now."""
    pairs = (
        ("time", when(old, language), when(new, language)),
        ("place", old.place, new.place),
        ("meeting point", old.meeting_point, new.meeting_point),
    )
    found = [{"what": what, "was": was, "now": now} for what, was, now in pairs if was != now]
    if old.route != new.route and not found:
        found.append({"what": "the way", "was": "", "now": ""})
    return found
